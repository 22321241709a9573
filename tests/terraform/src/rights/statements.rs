//! The statements of policies, as they are written.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::Body;

use crate::Problem;
use crate::expression::{list, literal, written};
use crate::module::{Module, attribute};

/// Where the grants of our programs stand: a local of the stack, by program.
const GRANTS: (&str, &str) = ("terraform", "grants");
/// The data source that writes policies.
const DOCUMENT: &str = "aws_iam_policy_document";
/// How a policy of AWS is named, after the partition.
const MANAGED: &str = ":iam::aws:policy/";

/// A statement.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sid: String,
    pub(super) allows: bool,
    pub(super) actions: Vec<String>,
    /// As they are written, one by one.
    pub(super) resources: Vec<String>,
    /// Services of AWS that it is about.
    pub(super) principals: Vec<String>,
    /// Of each condition the test and the key.
    pub(super) conditions: Vec<(String, String)>,
}

/// A policy.
#[derive(Debug)]
pub(super) struct Document {
    /// Its folder and name: `terraform/modules/queues.bus`.
    pub(super) name: String,
    pub(super) statements: Vec<Statement>,
}

/// Every policy.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) documents: Vec<Document>,
    /// What our programs may do, by program.
    pub(super) grants: BTreeMap<String, Vec<Statement>>,
    /// What cannot be read, because it is worked out.
    pub(super) wrong: Vec<Problem>,
}

impl Policies {
    pub(super) fn of(modules: &BTreeMap<String, Module>) -> Self {
        let mut policies = Self::default();
        for module in modules.values() {
            for ((kind, name), body) in &module.data {
                if kind == DOCUMENT {
                    let name = format!("{}.{name}", module.folder);
                    let statements = policies.statements(&body.it, &name);
                    policies.documents.push(Document { name, statements });
                }
            }
        }
        let root = modules.get(GRANTS.0);
        match root.and_then(|root| Some((root, root.locals.get(GRANTS.1)?))) {
            Some((root, grants)) => policies.read_grants(root, &grants.it),
            None => policies.wrong.push(Problem::new(GRANTS.0, "there are no local.grants")),
        }
        policies
    }

    fn statements(&mut self, document: &Body, name: &str) -> Vec<Statement> {
        let mut found = vec![];
        for block in document.blocks() {
            match block.ident.as_str() {
                "statement" => found.extend(self.statement(&block.body, name)),
                // Those of our programs are read where they are listed.
                "dynamic" if name == super::OF_PROGRAMS => {}
                "dynamic" => {
                    for content in block.body.blocks() {
                        found.extend(self.statement(&content.body, name));
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn statement(&mut self, body: &Body, name: &str) -> Option<Statement> {
        let sid = attribute(body, "sid").and_then(literal).unwrap_or("a statement").to_owned();
        let allows = attribute(body, "effect").and_then(literal) != Some("Deny");
        let actions = attribute(body, "actions").and_then(texts);
        let resources = attribute(body, "resources").map(items).unwrap_or_default();
        let is_negative = ["not_actions", "not_resources"].iter().any(|key| attribute(body, key).is_some());
        match actions {
            Some(actions) if !is_negative => {
                let (principals, conditions) = (principals(body), conditions(body));
                Some(Statement { sid, allows, actions, resources, principals, conditions })
            }
            _ => {
                self.wrong.push(Problem::new(format!("{name}, {sid}"), "actions have to be written out"));
                None
            }
        }
    }

    fn read_grants(&mut self, root: &Module, grants: &Expression) {
        for (program, grants) in entries(grants) {
            let mut statements = vec![];
            for (sid, grant) in entries(grants) {
                let read = entries_of(resolved(root, grant)).and_then(|grant| {
                    let (actions, resources) =
                        (texts(grant.get("actions")?)?, items(grant.get("resources")?));
                    let sid = sid.clone();
                    Some(Statement {
                        sid,
                        allows: true,
                        actions,
                        resources,
                        principals: vec![],
                        conditions: vec![],
                    })
                });
                match read {
                    Some(statement) => statements.push(statement),
                    None => {
                        let problem = "a grant is { actions = […], resources = … }, or a local that is one";
                        self.wrong.push(Problem::new(format!("terraform/iam.tf: {program}.{sid}"), problem));
                    }
                }
            }
            self.grants.insert(program, statements);
        }
    }
}

fn principals(statement: &Body) -> Vec<String> {
    let blocks = statement.blocks().filter(|block| block.ident.as_str() == "principals");
    let services = blocks.filter(|block| attribute(&block.body, "type").and_then(literal) == Some("Service"));
    services.flat_map(|block| attribute(&block.body, "identifiers").map(items).unwrap_or_default()).collect()
}

fn conditions(statement: &Body) -> Vec<(String, String)> {
    let text = |body: &Body, key: &str| attribute(body, key).and_then(literal).unwrap_or_default().to_owned();
    let blocks = statement.blocks().filter(|block| block.ident.as_str() == "condition");
    blocks.map(|block| (text(&block.body, "test"), text(&block.body, "variable"))).collect()
}

/// The policies of AWS that an attachment names: by itself, or by `each.value` of a list.
pub(super) fn managed(attachment: &Body) -> Vec<String> {
    let policy = attribute(attachment, "policy_arn").map(written).unwrap_or_default();
    let Some((_, name)) = policy.trim_matches('"').split_once(MANAGED) else { return vec![] };
    if name != "${each.value}" {
        return vec![name.to_owned()];
    }
    let listed = attribute(attachment, "for_each").map(every_list).unwrap_or_default();
    listed.into_iter().filter_map(|item| literal(item).map(str::to_owned)).collect()
}

/// The items of every list in an expression: of `on ? toset([…]) : toset([])` as well.
fn every_list(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::Array(items) => items.iter().collect(),
        Expression::FuncCall(call) => call.args.iter().flat_map(every_list).collect(),
        Expression::Conditional(it) => {
            [&it.true_expr, &it.false_expr].into_iter().flat_map(every_list).collect()
        }
        Expression::Parenthesis(inner) => every_list(inner.inner()),
        _ => vec![],
    }
}

/// The items of a list that is put together by `concat`, `compact` or `distinct`, each as it is written.
fn items(expression: &Expression) -> Vec<String> {
    match expression {
        Expression::Array(items) => items.iter().map(written).collect(),
        Expression::FuncCall(call)
            if ["compact", "concat", "distinct"].contains(&call.name.name.as_str()) =>
        {
            call.args.iter().flat_map(items).collect()
        }
        other => vec![written(other)],
    }
}

/// A list of literals.
fn texts(expression: &Expression) -> Option<Vec<String>> {
    list(expression)?.map(|item| literal(item).map(str::to_owned)).collect()
}

fn entries(object: &Expression) -> Vec<(String, &Expression)> {
    entries_of(object).into_iter().flatten().collect()
}

fn entries_of(object: &Expression) -> Option<BTreeMap<String, &Expression>> {
    let Expression::Object(object) = object else { return None };
    let key = |key: &ObjectKey| match key {
        ObjectKey::Ident(key) => key.to_string(),
        ObjectKey::Expression(key) => literal(key).map_or_else(|| written(key), str::to_owned),
    };
    Some(object.iter().map(|(name, value)| (key(name), value.expr())).collect())
}

/// What `local.x` stands for.
fn resolved<'a>(module: &'a Module, expression: &'a Expression) -> &'a Expression {
    let Expression::Traversal(traversal) = expression else { return expression };
    let operators: Vec<&TraversalOperator> =
        traversal.operators.iter().map(|operator| operator.value()).collect();
    match (&traversal.expr, operators.as_slice()) {
        (Expression::Variable(root), [TraversalOperator::GetAttr(name)]) if root.as_str() == "local" => {
            module.locals.get(name.as_str()).map_or(expression, |local| &local.it)
        }
        _ => expression,
    }
}
