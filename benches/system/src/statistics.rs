//! Medians, and how much they are worth.

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest and the largest value.
pub(crate) fn range(values: &[f64]) -> Option<[f64; 2]> {
    let sorted = sorted(values);
    Some([*sorted.first()?, *sorted.last()?])
}

/// How far the middle half of the values reaches, as a share of their median: what one disturbed round cannot blow up.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let median = median(values)?;
    let sorted = sorted(values);
    let width = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    Some(if width == 0.0 { 0.0 } else { width / median })
}

/// An interval that holds the median of what the values were drawn from in at least 90 % of all cases, whatever the
/// distribution: between two values of equal rank from either end, by the binomial distribution of how many lie below it.
/// Fewer than five values cannot say that much; then it is their range.
pub(crate) fn interval(values: &[f64]) -> Option<[f64; 2]> {
    let sorted = sorted(values);
    let rank = rank(sorted.len());
    Some([*sorted.get(rank)?, *sorted.get(sorted.len().checked_sub(rank + 1)?)?])
}

/// The value below which a share of the sorted values lies, with those between two values interpolated. Zero of nothing.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let below = at.floor();
    let (low, high) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    low + (high - low) * (at - below)
}

/// How many values may be cut from either end so that the rest still holds the median in 90 % of all cases.
fn rank(count: usize) -> usize {
    // The chance that the median lies beyond the value of rank k is that of at most k heads in `count` throws.
    let mut term = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let mut beyond = term;
    let mut rank = 0;
    while beyond <= 0.05 && rank < count / 2 {
        rank += 1;
        term *= (count + 1 - rank) as f64 / rank as f64;
        beyond += term;
    }
    rank.saturating_sub(1)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: u32) -> Vec<f64> {
        (1..=count).rev().map(f64::from).collect()
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median(&numbers(5)), Some(3.0));
        assert_eq!(median(&numbers(4)), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    /// Ranks from the table of the sign test for a two-sided 10 % (for example Conover, "Practical Nonparametric Statistics").
    #[test]
    fn the_interval_lies_between_the_ranks_of_the_sign_test() {
        for (count, low) in [(5, 1.0), (8, 2.0), (15, 4.0), (16, 5.0), (20, 6.0), (21, 7.0), (30, 11.0)] {
            let high = f64::from(count) + 1.0 - low;
            assert_eq!(interval(&numbers(count)), Some([low, high]), "{count} values");
        }
    }

    #[test]
    fn few_values_give_their_range() {
        assert_eq!(interval(&numbers(4)), Some([1.0, 4.0]));
        assert_eq!(interval(&numbers(1)), Some([1.0, 1.0]));
        assert_eq!(interval(&[]), None);
    }

    #[test]
    fn one_disturbed_round_does_not_widen_the_spread() {
        let calm = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0];
        let mut disturbed = calm;
        disturbed[0] = 10.0;
        assert!(spread(&calm).expect("values") < 0.03);
        assert!(spread(&disturbed).expect("values") < 0.03, "{:?}", spread(&disturbed));
        assert!(spread(&[50.0, 100.0, 150.0, 60.0, 140.0]).expect("values") > 0.5);
        assert_eq!(range(&disturbed), Some([10.0, 102.0]));
    }

    #[test]
    fn equal_values_have_no_spread_even_if_they_are_zero() {
        assert_eq!(spread(&[0.0, 0.0]), Some(0.0));
        assert_eq!(spread(&[7.0]), Some(0.0));
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [0.0, 10.0, 20.0];
        assert_eq!(quantile(&sorted, 0.0), 0.0);
        assert_eq!(quantile(&sorted, 0.75), 15.0);
        assert_eq!(quantile(&sorted, 1.0), 20.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
