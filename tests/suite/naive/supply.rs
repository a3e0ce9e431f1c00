//! From which day on there is anything to tell of what a metric needs.

use super::company::Company;
use jiff::civil::Date;

/// The tables that a metric says it needs, of those that may begin late.
fn needs(metric: &str) -> Option<&'static str> {
    match metric {
        "calls_made" | "deals_touched" => Some("activities"),
        "leads_converted" => Some("leads"),
        // They have the facts of another one.
        "rolling_bookings" | "open_days_median" | "open_days_p90" | "open_days_sum" | "product_sales" => {
            Some("opportunities")
        }
        "bookings"
        | "win_rate"
        | "sales_cycle_days"
        | "open_pipeline"
        | "new_customers"
        | "exchange_rate_effect"
        | "quota_attainment"
        | "reps_at_quota"
        | "deals"
        | "deal_size"
        | "deal_days"
        | "effort"
        | "open_days"
        | "open_deals"
        | "open_deal_size"
        | "open_value"
        | "product_bookings"
        | "product_effort"
        | "product_win_rate" => Some("opportunities"),
        _ => None,
    }
}

impl Company {
    /// Whether a metric's own tables tell of all days from one on.
    pub fn tells(&self, metric: &str, from: Date) -> bool {
        needs(metric).and_then(|table| self.since.get(table)).is_none_or(|since| *since <= from)
    }
}
