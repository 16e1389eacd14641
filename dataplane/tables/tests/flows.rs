//! The flow table against its plain twin.

use proptest::collection::vec;
use proptest::prelude::*;
use vpclab_tables::reference::OrderedFlows;
use vpclab_tables::{FlowTable, Full, Handle};

#[derive(Clone, Debug)]
enum Step {
    /// Insert a value under a key, unless the key is there.
    Put(u16, u32),
    /// Remove the record of a key, if there is one.
    Take(u16),
    /// Change the record of a key, if there is one.
    Change(u16, u32),
    /// Use a handle that was given out earlier, alive or not.
    Recall(prop::sample::Index),
}

fn step(keys: u16) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..keys, any::<u32>()).prop_map(|(key, value)| Step::Put(key, value)),
        3 => (0..keys).prop_map(Step::Take),
        1 => (0..keys, any::<u32>()).prop_map(|(key, value)| Step::Change(key, value)),
        2 => any::<prop::sample::Index>().prop_map(Step::Recall),
    ]
}

/// Table and twin, with the pairs of handles they gave out for the same record.
struct Pair {
    table: FlowTable<u16, u32>,
    twin: OrderedFlows<u16, u32>,
    handles: Vec<(Handle, Handle)>,
}

impl Pair {
    fn new(capacity: usize, seed: u64) -> Self {
        Self {
            table: FlowTable::new(capacity, seed),
            twin: OrderedFlows::new(capacity, seed),
            handles: Vec::new(),
        }
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Put(key, value) => self.put(key, value)?,
            Step::Take(key) => {
                let taken = self.table.find(&key).and_then(|handle| self.table.remove(handle));
                let expected = self.twin.find(&key).and_then(|handle| self.twin.remove(handle));
                prop_assert_eq!(taken, expected);
            }
            Step::Change(key, value) => {
                let ours = self.table.find(&key).and_then(|handle| self.table.get_mut(handle));
                let theirs = self.twin.find(&key).and_then(|handle| self.twin.get_mut(handle));
                prop_assert_eq!(&ours, &theirs);
                ours.into_iter().chain(theirs).for_each(|old| *old = value);
            }
            Step::Recall(at) if !self.handles.is_empty() => self.recall(*at.get(&self.handles))?,
            Step::Recall(_) => {}
        }
        Ok(())
    }

    fn put(&mut self, key: u16, value: u32) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.table.find(&key).is_some(), self.twin.find(&key).is_some());
        if self.table.find(&key).is_none() {
            match (self.table.insert(key, value), self.twin.insert(key, value)) {
                (Ok(ours), Ok(theirs)) => self.handles.push((ours, theirs)),
                (ours, theirs) => prop_assert_eq!((ours.err(), theirs.err()), (Some(Full), Some(Full))),
            }
        }
        Ok(())
    }

    fn recall(&self, (ours, theirs): (Handle, Handle)) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.table.get(ours), self.twin.get(theirs));
        prop_assert_eq!(self.table.key(ours), self.twin.key(theirs));
        Ok(())
    }

    /// Everything the two can be asked agrees.
    fn compare(&self, keys: u16) -> Result<(), TestCaseError> {
        let (table, twin) = (&self.table, &self.twin);
        prop_assert_eq!((table.len(), table.is_empty()), (twin.len(), twin.is_empty()));
        prop_assert_eq!((table.capacity(), table.is_full()), (twin.capacity(), twin.is_full()));
        for key in 0..keys {
            let ours = table.find(&key).map(|handle| (table.key(handle), table.get(handle)));
            let theirs = twin.find(&key).map(|handle| (twin.key(handle), twin.get(handle)));
            prop_assert_eq!(ours, theirs);
        }
        let asked: Vec<u16> = (0..keys).chain(0..keys).collect();
        let mut found = vec![None];
        table.find_many(&asked, &mut found);
        let expected: Vec<_> = asked.iter().map(|key| table.find(key)).collect();
        prop_assert_eq!(&found[1..], expected);
        let handles: Vec<Handle> = table.handles().collect();
        prop_assert!(handles.is_sorted_by_key(|handle| handle.index()));
        prop_assert!(handles.iter().all(|handle| (handle.index() as usize) < table.capacity()));
        let mut listed: Vec<_> = handles.iter().filter_map(|handle| table.key(*handle)).collect();
        listed.sort_unstable();
        let mut expected: Vec<_> = twin.handles().filter_map(|handle| twin.key(handle)).collect();
        expected.sort_unstable();
        prop_assert_eq!(listed, expected);
        Ok(())
    }
}

proptest! {
    /// Capacities around powers of two, with enough keys to fill them many times over.
    #[test]
    fn any_history_agrees_with_the_twin(
        capacity in 0..40_usize, seed in any::<u64>(), steps in vec(step(48), 0..400),
    ) {
        let mut pair = Pair::new(capacity, seed);
        for step in &steps {
            pair.run(step)?;
        }
        pair.compare(48)?;
        pair.handles.iter().try_for_each(|handles| pair.recall(*handles))?;
    }

    #[test]
    fn filled_and_emptied_in_any_order_the_table_is_as_new(
        order in Just((0..64_u16).collect::<Vec<_>>()).prop_shuffle(), seed in any::<u64>(),
    ) {
        let mut pair = Pair::new(64, seed);
        for turn in 0..3 {
            for key in 0..64 {
                pair.run(&Step::Put(key, turn))?;
            }
            prop_assert!(pair.table.is_full());
            for key in &order {
                pair.run(&Step::Take(*key))?;
                pair.compare(64)?;
            }
            prop_assert!(pair.table.is_empty());
        }
    }
}

#[test]
fn a_full_table_refuses_and_keeps_what_it_has() {
    let mut table = FlowTable::new(2, 1);
    let handles = [table.insert(1, 'a'), table.insert(2, 'b')];
    assert_eq!(table.insert(3, 'c'), Err(Full));
    assert_eq!(handles.map(|handle| table.get(handle.unwrap()).copied()), [Some('a'), Some('b')]);
}

#[test]
fn the_handle_of_a_removed_record_does_not_find_the_next_one_in_its_slot() {
    let mut table = FlowTable::new(1, 1);
    let old = table.insert(1, 'a').unwrap();
    assert_eq!(table.remove(old), Some((1, 'a')));
    let new = table.insert(1, 'b').unwrap();
    assert_eq!(old.index(), new.index());
    assert_eq!((table.get(old).copied(), table.get_mut(old).copied(), table.key(old)), (None, None, None));
    assert_eq!(table.remove(old), None);
    assert_eq!(table.get(new), Some(&'b'));
}

#[test]
fn a_table_without_capacity_is_full_and_empty() {
    let mut table = FlowTable::new(0, 1);
    assert!(table.is_full() && table.is_empty());
    assert_eq!((table.find(&1), table.insert(1, ())), (None, Err(Full)));
}

#[test]
fn the_slot_freed_last_is_used_first() {
    let mut table = FlowTable::new(3, 1);
    let [a, b] = [table.insert(1, ()).unwrap(), table.insert(2, ()).unwrap()];
    table.remove(a);
    table.remove(b);
    let reused = [3, 4, 5].map(|key| table.insert(key, ()).unwrap().index());
    assert_eq!(reused, [b.index(), a.index(), 2]);
}

#[test]
fn the_seed_decides_where_keys_land_but_not_what_is_found() {
    for seed in [0, 1, u64::MAX] {
        let mut table = FlowTable::new(1000, seed);
        for key in 0..1000_u32 {
            table.insert(key, key).unwrap();
        }
        assert!((0..1000).all(|key| table.find(&key).and_then(|handle| table.get(handle)) == Some(&key)));
        assert!((1000..2000).all(|key| table.find(&key).is_none()));
    }
}

/// A key whose hash says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Blank(u16);

impl std::hash::Hash for Blank {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

#[test]
fn keys_with_one_hash_are_told_apart_while_others_come_and_go() {
    let mut table = FlowTable::new(40, 1);
    for key in 0..40 {
        table.insert(Blank(key), key).unwrap();
    }
    for removed in (0..40).step_by(3) {
        let handle = table.find(&Blank(removed)).unwrap();
        assert_eq!(table.remove(handle), Some((Blank(removed), removed)));
        for key in 0..40 {
            let found = table.find(&Blank(key)).and_then(|handle| table.get(handle)).copied();
            assert_eq!(found, Some(key).filter(|key| *key > removed || key % 3 != 0));
        }
    }
}
