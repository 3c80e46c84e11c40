-- Why: money in another currency is converted by the rate of each day, so a report reads the days of that currency alone, not those of all.

create index category_totals_by_currency on category_totals (household_id, grain, currency, period);
