//! Which objects were there before, and which are the very same.

use crate::hash::HashMap;
use crate::spec::{
    AclSpec, FlowLogSpec, GroupSpec, InterfaceSpec, LabSpec, NatGatewaySpec, PeeringSpec, RouteTableSpec,
    Shared, SubnetSpec, VpcSpec,
};

/// An object with an AWS id.
pub(super) trait Identified {
    fn id(&self) -> &str;
}

macro_rules! identified {
    ($($spec:ty),+) => {$(
        impl Identified for $spec {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )+};
}

identified!(
    AclSpec,
    FlowLogSpec,
    GroupSpec,
    InterfaceSpec,
    NatGatewaySpec,
    PeeringSpec,
    RouteTableSpec,
    SubnetSpec,
    VpcSpec
);

/// The objects of one kind, each with the one that had its id before.
pub(super) struct Compared<'a, T> {
    now: &'a [Shared<T>],
    earlier: Vec<Option<&'a Shared<T>>>,
    /// How many ids are no longer there.
    gone: usize,
}

impl<'a, T: Identified> Compared<'a, T> {
    /// Objects come in much the same order as before, so the one that is looked for is mostly the next.
    fn new(before: &'a [Shared<T>], now: &'a [Shared<T>]) -> Self {
        let mut places = None;
        let mut next = 0;
        let mut find = |object: &Shared<T>| {
            let is_next = before.get(next).is_some_and(|o| o.is(object) || o.id() == object.id());
            if !is_next {
                next = *places.get_or_insert_with(|| places_of(before)).get(object.id())?;
            }
            next += 1;
            Some(&before[next - 1])
        };
        let earlier: Vec<_> = now.iter().map(&mut find).collect();
        let gone = before.len() - earlier.iter().flatten().count();
        Self { now, earlier, gone }
    }

    /// All objects in order, each with the one that had its id before.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a Shared<T>, Option<&'a Shared<T>>)> {
        self.now.iter().zip(self.earlier.iter().copied())
    }

    /// The objects that are not the very same as before.
    pub(super) fn changed(&self) -> impl Iterator<Item = &'a Shared<T>> {
        self.pairs().filter(|(now, earlier)| !is_same(now, *earlier)).map(|(now, _)| now)
    }
}

/// Whether the object is the very same as before.
pub(super) fn is_same<T>(now: &Shared<T>, earlier: Option<&Shared<T>>) -> bool {
    earlier.is_some_and(|earlier| earlier.is(now))
}

fn places_of<T: Identified>(objects: &[Shared<T>]) -> HashMap<&str, usize> {
    objects.iter().map(|object| object.id()).zip(0..).collect()
}

/// A specification beside the one before.
pub(super) struct Comparison<'a> {
    pub(super) acls: Compared<'a, AclSpec>,
    pub(super) flow_logs: Compared<'a, FlowLogSpec>,
    pub(super) groups: Compared<'a, GroupSpec>,
    pub(super) interfaces: Compared<'a, InterfaceSpec>,
    pub(super) nat_gateways: Compared<'a, NatGatewaySpec>,
    pub(super) peerings: Compared<'a, PeeringSpec>,
    pub(super) route_tables: Compared<'a, RouteTableSpec>,
    pub(super) subnets: Compared<'a, SubnetSpec>,
    pub(super) vpcs: Compared<'a, VpcSpec>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(before: Option<&'a LabSpec>, now: &'a LabSpec) -> Self {
        fn of<'a, T: Identified>(
            before: Option<&'a LabSpec>,
            now: &'a LabSpec,
            objects: impl Fn(&'a LabSpec) -> &'a [Shared<T>],
        ) -> Compared<'a, T> {
            Compared::new(before.map_or(&[], &objects), objects(now))
        }
        Self {
            acls: of(before, now, |spec| &spec.acls),
            flow_logs: of(before, now, |spec| &spec.flow_logs),
            groups: of(before, now, |spec| &spec.groups),
            interfaces: of(before, now, |spec| &spec.interfaces),
            nat_gateways: of(before, now, |spec| &spec.nat_gateways),
            peerings: of(before, now, |spec| &spec.peerings),
            route_tables: of(before, now, |spec| &spec.route_tables),
            subnets: of(before, now, |spec| &spec.subnets),
            vpcs: of(before, now, |spec| &spec.vpcs),
        }
    }

    /// Whether some id that another object could name is no longer there.
    pub(super) const fn lost_some(&self) -> bool {
        self.acls.gone + self.groups.gone + self.interfaces.gone > 0
            || self.nat_gateways.gone + self.peerings.gone > 0
            || self.route_tables.gone + self.subnets.gone + self.vpcs.gone > 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lab::{lab, subnet, vpc};
    use super::*;

    fn ids<T: Identified>(objects: &[Shared<T>]) -> Vec<&str> {
        objects.iter().map(|object| object.id()).collect()
    }

    #[test]
    fn an_object_is_found_wherever_it_stood_before() {
        let before: Vec<Shared<VpcSpec>> = ["a", "b", "c", "d"].map(vpc).into();
        let mut now = vec![before[3].clone(), vpc("new"), before[0].clone(), before[1].clone()];
        now[2].name = "changed".into();
        let compared = Compared::new(&before, &now);
        let earlier: Vec<_> = compared.pairs().map(|(_, earlier)| earlier.map(|e| e.id())).collect();
        assert_eq!(earlier, [Some("d"), None, Some("a"), Some("b")]);
        assert_eq!(compared.changed().map(|object| object.id()).collect::<Vec<_>>(), ["new", "a"]);
        assert_eq!((compared.gone, ids(&now).len()), (1, 4));
    }

    #[test]
    fn nothing_is_lost_while_every_id_is_there() {
        let lab = lab();
        let mut more = lab.clone();
        more.subnets.insert(0, subnet("subnet-new", "vpc-app", 9));
        assert!(!Comparison::new(Some(&lab), &more).lost_some());
        assert!(Comparison::new(Some(&more), &lab).lost_some());
        assert!(!Comparison::new(None, &lab).lost_some());
    }
}
