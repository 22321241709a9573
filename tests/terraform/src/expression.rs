//! What expressions name.

use hcl_edit::expr::{Expression, ForExpr, Traversal, TraversalOperator};
use hcl_edit::template::ForTemplateExpr;
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Ident};

/// A name, and what is asked of it: `aws_sqs_queue.lane["push"].arn` is `aws_sqs_queue` with the steps `.lane`, `[…]`, `.arn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) root: String,
    pub(crate) steps: Vec<Step>,
}

/// A step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// `.name`
    Name(String),
    /// `[…]`, `[*]` or `.*`
    Into,
}

/// All that an expression names, apart from what is bound: by itself (`for`), or around it (the iterators of dynamic blocks).
pub(crate) fn references(expression: &Expression, bound: &[String]) -> Vec<Reference> {
    let mut walk = Walk { bound: bound.to_vec(), found: vec![] };
    walk.visit_expr(expression);
    walk.found
}

struct Walk {
    bound: Vec<String>,
    found: Vec<Reference>,
}

impl Visit for Walk {
    fn visit_expr(&mut self, expression: &Expression) {
        match expression {
            Expression::Variable(name) => self.name(name.as_str(), vec![]),
            other => visit::visit_expr(self, other),
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        let step = |operator: &Decorated<TraversalOperator>| match operator.value() {
            TraversalOperator::GetAttr(name) => Step::Name(name.to_string()),
            _ => Step::Into,
        };
        match &traversal.expr {
            Expression::Variable(name) => {
                self.name(name.as_str(), traversal.operators.iter().map(step).collect());
            }
            inner => self.visit_expr(inner),
        }
        traversal.operators.iter().for_each(|operator| self.visit_traversal_operator(operator));
    }

    fn visit_for_expr(&mut self, node: &ForExpr) {
        self.visit_expr(&node.intro.collection_expr);
        self.with(node.intro.key_var.as_ref(), &node.intro.value_var, |walk| {
            let parts = node.key_expr.iter().chain([&node.value_expr]);
            parts.chain(node.cond.as_ref().map(|cond| &cond.expr)).for_each(|part| walk.visit_expr(part));
        });
    }

    fn visit_for_template_expr(&mut self, node: &ForTemplateExpr) {
        self.visit_expr(&node.collection_expr);
        self.with(node.key_var.as_ref(), &node.value_var, |walk| walk.visit_template(&node.template));
    }
}

impl Walk {
    fn with(
        &mut self,
        key: Option<&Decorated<Ident>>,
        value: &Decorated<Ident>,
        inside: impl FnOnce(&mut Self),
    ) {
        let before = self.bound.len();
        self.bound.extend(key.into_iter().chain([value]).map(|name| name.to_string()));
        inside(self);
        self.bound.truncate(before);
    }

    fn name(&mut self, root: &str, steps: Vec<Step>) {
        if !self.bound.iter().any(|bound| bound == root) {
            self.found.push(Reference { root: root.to_owned(), steps });
        }
    }
}

/// An expression as it is written, on one line.
pub(crate) fn written(expression: &Expression) -> String {
    let text = expression.to_string();
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The text of a literal.
pub(crate) fn literal(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::String(text) => Some(text.as_str()),
        _ => None,
    }
}

/// The items of a list that is written out.
pub(crate) fn list(expression: &Expression) -> Option<impl Iterator<Item = &Expression>> {
    match expression {
        Expression::Array(items) => Some(items.iter()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let steps = |steps: &[Step]| -> String {
            let text = |step: &Step| match step {
                Step::Name(name) => format!(".{name}"),
                Step::Into => "[]".to_owned(),
            };
            steps.iter().map(text).collect()
        };
        let found = references(&text.parse().unwrap(), &["bound".to_owned()]);
        found.iter().map(|reference| format!("{}{}", reference.root, steps(&reference.steps))).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(named("[var.a, bound.b]"), ["var.a"]);
        assert_eq!(named("aws_x.y[local.z].arn"), ["aws_x.y[].arn", "local.z"]);
        assert_eq!(named("aws_x.y[*].arn"), ["aws_x.y[].arn"]);
        assert_eq!(named("{ a = var.b, (var.c) = 1, d = { e = var.f } }"), ["var.b", "var.c", "var.f"]);
        assert_eq!(named("\"x-${var.a}%{ if var.b }${var.c}%{ endif }\""), ["var.a", "var.b", "var.c"]);
        assert_eq!(named("\"${var.a}-$${var.b}\""), ["var.a"]);
        assert_eq!(named("f(var.a, !var.b, -(var.c + 1), var.d...)"), ["var.a", "var.b", "var.c", "var.d"]);
        assert_eq!(named("var.a ? var.b : var.c"), ["var.a", "var.b", "var.c"]);
    }

    #[test]
    fn what_a_for_binds_is_bound_within_it() {
        assert_eq!(named("[for k, v in v.x : \"${k}${v}${w}\" if v != u]"), ["v.x", "w", "u"]);
        assert_eq!(named("{ for v in var.x : v.name => v... }"), ["var.x"]);
    }
}
