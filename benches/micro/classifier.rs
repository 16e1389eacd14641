//! The rule classifier at 10, 100 and 1,000 rules, hitting the first rule, the last one, or none.
//!
//! Queries carry the labels of a peer in five groups. The linear twin is the yardstick.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tables::Classifier;
use tables::reference::LinearClassifier;
use vpclab_benches::rules::{LABELS, first, last, miss, rules};

criterion_group!(benches, lookup, build);
criterion_main!(benches);

const SIZES: [usize; 3] = [10, 100, 1_000];

fn lookup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classifier");
    for n in SIZES {
        let list = rules(n, 5);
        let (ours, linear) = (Classifier::build(&list), LinearClassifier::build(&list));
        let queries = [("hit-first", first(&LABELS)), ("hit-last", last(&LABELS)), ("miss", miss(&LABELS))];
        for (name, query) in queries {
            group.bench_function(BenchmarkId::new(format!("{name}/ours"), n), |bencher| {
                bencher.iter(|| black_box(&ours).first(black_box(&query)));
            });
            group.bench_function(BenchmarkId::new(format!("{name}/linear"), n), |bencher| {
                bencher.iter(|| black_box(&linear).first(black_box(&query)));
            });
        }
    }
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classifier/build");
    for n in SIZES {
        let list = rules(n, 5);
        group.bench_function(BenchmarkId::from_parameter(n), |bencher| {
            bencher.iter(|| Classifier::build(black_box(&list)));
        });
    }
}
