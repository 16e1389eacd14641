//! From the text of a large lab file to a snapshot, stage by stage, and what one more rule in it costs.
//!
//! `read` is text to draft, `check` draft to valid lab, `compile` valid lab to snapshot on its own, and `edit` the same on
//! top of a snapshot that differs in one rule. All are processor time of one thread.

mod cpu_time;

use std::hint::black_box;

use compile::Compiler;
use cpu_time::CpuTime;
use criterion::{Criterion, criterion_group, criterion_main};
use model::Valid;
use vpclab_benches::large::{ONE_VPC, Scale, THOUSAND_VPCS};

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime).sample_size(10);
    targets = stages
}
criterion_main!(benches);

fn stages(criterion: &mut Criterion<CpuTime>) {
    for (name, scale) in [("1000-vpcs", THOUSAND_VPCS), ("1-vpc", ONE_VPC)] {
        stages_of(criterion, name, scale);
    }
}

fn stages_of(criterion: &mut Criterion<CpuTime>, name: &str, scale: Scale) {
    let mut group = criterion.benchmark_group(format!("lab/{name}"));
    let text = scale.text();
    group.bench_function("read", |bencher| {
        bencher.iter_with_large_drop(|| import::yaml::read(name, black_box(&text)));
    });
    let draft = import::yaml::read(name, &text).expect("a generated lab has the right shape");
    group.bench_function("check", |bencher| bencher.iter_with_large_drop(|| model::check(black_box(&draft))));
    let before = valid(&text);
    group.bench_function("compile", |bencher| {
        bencher.iter_with_large_drop(|| Compiler::default().snapshot(black_box(&before)));
    });
    let after = valid(&scale.edited());
    let mut compiler = Compiler::default();
    let labs = [before, after];
    let mut labs = labs.iter().cycle();
    group.bench_function("edit", |bencher| {
        bencher.iter_with_large_drop(|| labs.next().map(|lab| compiler.snapshot(black_box(lab))));
    });
}

fn valid(text: &str) -> Valid {
    import::load("large.yaml", text).expect("a generated lab has no errors").0
}
