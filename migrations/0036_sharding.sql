-- Why: a database that is split by household keeps an index unique only within one, and a key's id was unique across all of them.
-- Its 96 random bits are; the way from a feed and a key to their household stays an index.
alter table feed_keys drop constraint feed_keys_key_id_key;
create index feed_keys_by_feed on feed_keys (feed_id, key_id);
