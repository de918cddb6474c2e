//! Checks that every member receives everything that is shared once.

/// What the members have received.
#[derive(Debug)]
pub(super) struct Receipts {
    /// Receipts by member.
    counts: Vec<usize>,
    unknown: u64,
}

impl Receipts {
    /// Nobody has received anything.
    pub(super) fn new(members: usize) -> Self {
        Self { counts: vec![0; members], unknown: 0 }
    }

    /// Records that `member` received a message, which may be something else than what is shared.
    pub(super) fn record(&mut self, member: usize, is_shared: bool) {
        if is_shared {
            self.counts[member] += 1;
        } else {
            self.unknown += 1;
        }
    }

    /// How much every member has received.
    pub(super) fn complete(&self) -> usize {
        self.counts.iter().copied().min().unwrap_or_default()
    }

    /// The receipts of all members together.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum::<usize>() as u64
    }

    /// Returns descriptions of all problems, if `shared` things were shared.
    pub(super) fn problems(&self, shared: usize) -> Vec<String> {
        let lost: usize = self.counts.iter().map(|count| shared.saturating_sub(*count)).sum();
        let doubled: usize = self.counts.iter().map(|count| count.saturating_sub(shared)).sum();
        let counts = [
            (lost as u64, "deliveries lost"),
            (doubled as u64, "deliveries doubled"),
            (self.unknown, "deliveries that nobody sent"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_lacks_is_lost_and_what_it_has_twice_is_doubled() {
        let mut receipts = Receipts::new(3);
        for member in [0, 0, 1, 2, 2, 2] {
            receipts.record(member, true);
        }
        assert_eq!((receipts.complete(), receipts.total()), (1, 6));
        assert_eq!(receipts.problems(2), ["1 deliveries lost", "1 deliveries doubled"]);
        receipts.record(1, true);
        receipts.record(1, false);
        assert_eq!(receipts.problems(2), ["1 deliveries doubled", "1 deliveries that nobody sent"]);
    }
}
