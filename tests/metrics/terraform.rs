//! Alarms and dashboard as they stand in terraform's files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cve_monitor_bins::runtime::metrics::catalogue::{CATALOGUE, PROGRAM, Program};
use hcl_edit::expr::{Array, Expression, Object, ObjectKey};
use hcl_edit::structure::Body;
use hcl_edit::visit::{self, Visit};

use crate::emitted_by_aws::EMITTED_BY_AWS;

/// A metric that an alarm or a line of a widget names; its dimensions with their values, where they are written out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// None: the namespace of our programs.
    namespace: Option<String>,
    pub(crate) name: String,
    dimensions: Vec<(String, Option<String>)>,
}

fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform/modules/monitoring")
}

fn locals(file: &str) -> Vec<(String, Expression)> {
    let path = module().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let body: Body = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let attributes = body.get_blocks("locals").flat_map(|block| block.body.attributes());
    attributes.map(|attribute| (attribute.key.to_string(), attribute.value.clone())).collect()
}

/// Calls a function with an expression and everything in it.
struct Walk<F>(F);

impl<F: FnMut(&Expression)> Visit for Walk<F> {
    fn visit_expr(&mut self, expression: &Expression) {
        (self.0)(expression);
        visit::visit_expr(self, expression);
    }
}

fn walk(expression: &Expression, see: impl FnMut(&Expression)) {
    Walk(see).visit_expr(expression);
}

fn text(expression: &Expression) -> Option<String> {
    expression.as_str().map(str::to_owned)
}

fn name_of(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) => name.as_str().to_owned(),
        ObjectKey::Expression(key) => {
            text(key).unwrap_or_else(|| panic!("a key that is written out: {key:?}"))
        }
    }
}

fn field<'a>(object: &'a Object, wanted: &str) -> Option<&'a Expression> {
    let named = |key: &ObjectKey| match key {
        ObjectKey::Ident(name) => name.as_str() == wanted,
        ObjectKey::Expression(key) => key.as_str() == Some(wanted),
    };
    object.iter().find(|(key, _)| named(key)).map(|(_, value)| value.expr())
}

/// A namespace and a name: the one written out, or `var.namespace`.
fn metric(items: &Array) -> Option<(Option<String>, String)> {
    let (namespace, name) = (items.get(0)?, items.get(1)?);
    let ours = namespace.to_string().trim() == "var.namespace";
    match (text(namespace), ours) {
        (None, true) => Some((None, text(name)?)),
        (Some(namespace), _) if namespace.contains('/') && !namespace.contains(' ') => {
            Some((Some(namespace), text(name)?))
        }
        _ => None,
    }
}

/// What the alarms name. An alarm may have one of several sets of dimensions: each counts.
pub(crate) fn alarms() -> Vec<Named> {
    let mut named = vec![];
    for (_, expression) in locals("alarms.tf") {
        walk(&expression, |expression| {
            let Expression::Object(fields) = expression else { return };
            let (Some(Expression::Array(items)), Some(dimensions)) =
                (field(fields, "metric"), field(fields, "dimensions"))
            else {
                return;
            };
            let (namespace, name) = metric(items).unwrap_or_else(|| panic!("no metric: {items:?}"));
            walk(dimensions, |set| {
                let Expression::Object(set) = set else { return };
                let dimensions = set.iter().map(|(key, value)| (name_of(key), text(value.expr()))).collect();
                named.push(Named { namespace: namespace.clone(), name: name.clone(), dimensions });
            });
        });
    }
    named
}

/// What the widgets of the dashboard show.
fn widgets() -> Vec<Named> {
    let all = locals("dashboard.tf");
    let mut named = vec![];
    for (_, expression) in &all {
        walk(expression, |expression| {
            let Expression::Array(items) = expression else { return };
            let Some((namespace, name)) = metric(items) else { return };
            let rest: Vec<&Expression> = items.iter().skip(2).collect();
            let dimensions = rest.chunks(2).map(|pair| {
                let name = text(pair[0]).unwrap_or_else(|| panic!("a dimension's name: {pair:?}"));
                (name, pair.get(1).and_then(|value| text(value)))
            });
            named.push(Named { namespace, name, dimensions: dimensions.collect() });
        });
    }
    named
}

/// Whether somebody emits it so; else what is wrong.
fn problem(named: &Named) -> Option<String> {
    let mut dimensions: Vec<&str> = named.dimensions.iter().map(|(name, _)| name.as_str()).collect();
    dimensions.sort_unstable();
    let Some(namespace) = &named.namespace else {
        let Some(metric) = CATALOGUE.iter().find(|metric| metric.name == named.name) else {
            return Some("it is not in the catalogue".to_owned());
        };
        let told = |by: Program| match by {
            Program::Ingest => "ingest",
            Program::Notifier => "notifier",
            Program::Reconciler => "reconciler",
        };
        let by: Vec<&str> = metric.by.iter().map(|by| told(*by)).collect();
        let [(dimension, Some(program))] = named.dimensions.as_slice() else {
            return Some(format!("its dimension is {PROGRAM} alone, with the program written out"));
        };
        return (dimension != PROGRAM || !by.contains(&program.as_str()))
            .then(|| format!("it is told by {by:?}, in the dimension {PROGRAM}"));
    };
    let known = EMITTED_BY_AWS
        .iter()
        .any(|(of, name, under)| of == namespace && *name == named.name && *under == dimensions.as_slice());
    (!known).then(|| "AWS emits no such metric, or not under these dimensions".to_owned())
}

#[test]
fn every_alarm_and_every_widget_is_about_a_metric_that_is_emitted_so() {
    let (alarms, widgets) = (alarms(), widgets());
    assert!(alarms.len() >= 14 && widgets.len() >= 25, "{} and {} found", alarms.len(), widgets.len());
    let problems: Vec<String> = alarms
        .iter()
        .chain(&widgets)
        .filter_map(|named| Some(format!("{named:?}: {}", problem(named)?)))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn exactly_the_metrics_that_are_meant_for_it_have_an_alarm_and_stand_on_the_dashboard() {
    let ours = |all: Vec<Named>| -> BTreeSet<String> {
        all.into_iter().filter(|named| named.namespace.is_none()).map(|named| named.name).collect()
    };
    let meant: BTreeSet<String> =
        CATALOGUE.iter().filter(|metric| metric.alarm).map(|metric| metric.name.to_owned()).collect();
    assert_eq!(ours(alarms()), meant);
    let shown = ours(widgets());
    assert!(meant.is_subset(&shown), "not on the dashboard: {:?}", meant.difference(&shown));
}

#[test]
fn nothing_of_aws_is_on_the_list_that_is_not_used() {
    let used: BTreeSet<(String, String)> = alarms()
        .into_iter()
        .chain(widgets())
        .filter_map(|named| Some((named.namespace?, named.name)))
        .collect();
    for (namespace, name, _) in EMITTED_BY_AWS {
        assert!(used.contains(&((*namespace).to_owned(), (*name).to_owned())), "{namespace} {name}");
    }
}

#[test]
fn silence_of_ours_is_an_alarm() {
    for (name, expression) in locals("alarms.tf") {
        if name != "own" {
            continue;
        }
        let Expression::Object(alarms) = expression else { panic!("own is an object") };
        for (key, alarm) in &alarms {
            let Expression::Object(fields) = alarm.expr() else { panic!("{key:?} is an object") };
            let missing = field(fields, "missing").and_then(text);
            assert_eq!(missing.as_deref(), Some("breaching"), "{key:?}: silence is an alarm");
        }
    }
}
