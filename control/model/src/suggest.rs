//! "Did you mean".

/// The candidate that `word` most likely misspells, if any is near enough: at most one edit per three letters.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let folded = fold(word);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&folded, &fold(c)), c))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, c)| c)
}

/// The candidates in a line of text: all of them, or the first few and how many more there are.
#[must_use]
pub fn listed<'a>(candidates: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<&str> = candidates.into_iter().collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    if more == 0 { quoted.join(", ") } else { format!("{} and {more} more", quoted.join(", ")) }
}

/// Words that differ only in case or in the kind of separator count as equal.
fn fold(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', ' ', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word_and_a_stranger_does_not() {
        let keys = ["subnets", "security_groups", "cidr"];
        assert_eq!(nearest("subnet", keys), Some("subnets"));
        assert_eq!(nearest("Security-Groups", keys), Some("security_groups"));
        assert_eq!(nearest("cird", keys), Some("cidr"));
        assert_eq!(nearest("gateway", keys), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let many = ["i", "h", "g", "f", "e", "d", "c", "b", "a"];
        assert_eq!(listed(many), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 1 more");
    }
}
