//! A sample of the rows: the same for the same seed, whatever else is in the dataset.

use sha2::{Digest, Sha256};

/// Keeps `size` of the rows, in their order. Which ones follows from the seed and their ids alone,
/// so that a row that is added or moved leaves most of the sample as it was.
pub(crate) fn take<'a>(
    rows: &mut Vec<usize>,
    size: usize,
    seed: u64,
    id: &dyn Fn(usize) -> &'a String,
) {
    let mut kept = rows.clone();
    shuffle(&mut kept, seed, id);
    kept.truncate(size);
    kept.sort_unstable();
    // They may have been shuffled.
    rows.retain(|row| kept.binary_search(row).is_ok());
}

/// Puts the rows into an order by chance, which follows from the seed and their ids alone: a row that is
/// added leaves the order of the others as it was.
pub(crate) fn shuffle<'a>(rows: &mut [usize], seed: u64, id: &dyn Fn(usize) -> &'a String) {
    let rank = |row: &usize| -> ([u8; 32], usize) {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(id(*row).as_bytes());
        (hash.finalize().into(), *row)
    };
    rows.sort_by_cached_key(rank);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ids: &[String], size: usize, seed: u64) -> Vec<String> {
        let mut rows: Vec<usize> = (0..ids.len()).collect();
        take(&mut rows, size, seed, &|row| &ids[row]);
        rows.into_iter().map(|row| ids[row].clone()).collect()
    }

    #[test]
    fn a_sample_is_the_same_each_time_and_another_with_another_seed() {
        let ids: Vec<String> = (0..200).map(|n| format!("case-{n}")).collect();
        let one = sample(&ids, 20, 7);
        assert_eq!(one.len(), 20);
        assert_eq!(one, sample(&ids, 20, 7));
        assert_ne!(one, sample(&ids, 20, 8));
        let mut sorted = one.clone();
        sorted.sort_by_key(|id| ids.iter().position(|other| other == id));
        assert_eq!(one, sorted, "in the order of the dataset");
    }

    #[test]
    fn another_row_takes_the_place_of_at_most_one() {
        let mut ids: Vec<String> = (0..200).map(|n| format!("case-{n}")).collect();
        let before = sample(&ids, 20, 7);
        ids.insert(3, "new".to_owned());
        let after = sample(&ids, 20, 7);
        let kept = before.iter().filter(|id| after.contains(id)).count();
        assert!(kept >= 19, "{kept}");
        assert_eq!(sample(&ids, 1000, 7).len(), 201);
    }

    #[test]
    fn a_larger_sample_has_all_of_a_smaller_one_and_the_order_of_the_rows_is_no_matter() {
        let mut ids: Vec<String> = (0..60).map(|n| format!("case-{n}")).collect();
        let set = |ids: &[String], size| -> std::collections::BTreeSet<String> {
            sample(ids, size, 3).into_iter().collect()
        };
        for size in 0..60 {
            assert_eq!(set(&ids, size).len(), size);
            assert!(set(&ids, size).is_subset(&set(&ids, size + 1)), "{size}");
        }
        let before = set(&ids, 20);
        ids.reverse();
        assert_eq!(before, set(&ids, 20));
    }

    #[test]
    fn every_case_has_the_same_chance() {
        let ids: Vec<String> = (0..20).map(|n| format!("case-{n}")).collect();
        let mut drawn = std::collections::BTreeMap::<String, u32>::new();
        for seed in 0..400 {
            for id in sample(&ids, 5, seed) {
                *drawn.entry(id).or_default() += 1;
            }
        }
        // 100 each, give or take 5 standard deviations.
        assert!(
            drawn.len() == 20 && drawn.values().all(|times| (57..=143).contains(times)),
            "{drawn:?}"
        );
    }
}
