// The categories that a household starts with; from then on they are its own to change.

export type SystemCategory = {
  /** Stays the same for ever: the copies in households keep it. */
  key: string
  name: string
  kind: 'income' | 'expense'
  /** The key of the category above; there are two levels. */
  parent: string | null
  /** A name of Material Symbols. */
  icon: string
  /** Dark enough for white text on it (WCAG AA). */
  color: string
}

type Child = readonly [key: string, name: string, icon: string]

function group(kind: SystemCategory['kind'], color: string, [key, name, icon]: Child, ...children: Child[]): SystemCategory[] {
  return [
    { key, name, kind, parent: null, icon, color },
    ...children.map((child) => ({ key: `${key}-${child[0]}`, name: child[1], kind, parent: key, icon: child[2], color })),
  ]
}

export const defaultCategories: readonly SystemCategory[] = [
  ...group(
    'income',
    '#2e7d32',
    ['work-income', 'Work', 'work'],
    ['salary', 'Salary', 'payments'],
    ['bonus', 'Bonus', 'award_star'],
    ['self-employed', 'Self-employment', 'storefront'],
  ),
  ...group(
    'income',
    '#00695c',
    ['investment-income', 'Investments', 'trending_up'],
    ['interest', 'Interest', 'percent'],
    ['dividends', 'Dividends', 'pie_chart'],
    ['rent', 'Rental income', 'real_estate_agent'],
  ),
  ...group(
    'income',
    '#33691e',
    ['other-income', 'Other income', 'add_circle'],
    ['benefits', 'Pension and benefits', 'elderly'],
    ['refunds', 'Refunds', 'undo'],
    ['gifts', 'Gifts received', 'redeem'],
  ),
  ...group(
    'expense',
    '#1565c0',
    ['housing', 'Housing', 'home'],
    ['rent', 'Rent or mortgage', 'key'],
    ['utilities', 'Electricity, heating and water', 'bolt'],
    ['communication', 'Internet and phone', 'wifi'],
    ['repairs', 'Repairs and maintenance', 'home_repair_service'],
    ['furnishing', 'Furniture and household goods', 'chair'],
  ),
  ...group(
    'expense',
    '#ad1457',
    ['food', 'Food', 'restaurant'],
    ['groceries', 'Groceries', 'shopping_cart'],
    ['restaurants', 'Restaurants', 'restaurant_menu'],
    ['coffee', 'Coffee and snacks', 'local_cafe'],
  ),
  ...group(
    'expense',
    '#4527a0',
    ['transport', 'Transport', 'commute'],
    ['public', 'Public transport', 'directions_bus'],
    ['fuel', 'Fuel and charging', 'local_gas_station'],
    ['car', 'Car upkeep', 'directions_car'],
    ['taxi', 'Taxi and sharing', 'local_taxi'],
  ),
  ...group(
    'expense',
    '#c62828',
    ['health', 'Health', 'favorite'],
    ['medical', 'Doctor and pharmacy', 'medication'],
    ['sport', 'Sport and fitness', 'fitness_center'],
  ),
  ...group(
    'expense',
    '#6a1b9a',
    ['shopping', 'Shopping', 'shopping_bag'],
    ['clothing', 'Clothing and shoes', 'apparel'],
    ['electronics', 'Electronics', 'devices'],
    ['care', 'Personal care', 'spa'],
  ),
  ...group(
    'expense',
    '#bf360c',
    ['leisure', 'Leisure', 'celebration'],
    ['entertainment', 'Entertainment', 'theaters'],
    ['subscriptions', 'Subscriptions', 'subscriptions'],
    ['travel', 'Travel', 'flight'],
    ['hobbies', 'Hobbies', 'palette'],
  ),
  ...group(
    'expense',
    '#00838f',
    ['family', 'Family', 'family_restroom'],
    ['children', 'Children', 'child_care'],
    ['education', 'Education', 'school'],
    ['pets', 'Pets', 'pets'],
    ['gifts', 'Gifts and donations', 'volunteer_activism'],
  ),
  ...group(
    'expense',
    '#455a64',
    ['finance', 'Financial', 'account_balance'],
    ['insurance', 'Insurance', 'shield'],
    ['taxes', 'Taxes', 'receipt_long'],
    ['fees', 'Fees and interest', 'credit_card'],
    ['loans', 'Loan repayment', 'request_quote'],
  ),
  ...group('expense', '#5d4037', ['other', 'Other expenses', 'more_horiz'], ['cash', 'Cash', 'local_atm']),
]
