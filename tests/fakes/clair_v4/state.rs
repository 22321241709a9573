//! What a Clair keeps in its database.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contents::{Contents, Layer};

/// One update operation with all vulnerabilities of its updater.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) updater: String,
    date: String,
    pub(super) vulnerabilities: Vec<Value>,
}

/// A manifest that was handed over.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) layers: Vec<String>,
    /// Why it could not be read; none where it could.
    pub(super) error: Option<String>,
    pub(super) contents: Contents,
    /// The indexer's state when it was read.
    pub(super) index_state: String,
}

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) index_state: String,
    pub(super) layer_bytes: u64,
    pub(super) layers: BTreeMap<String, Layer>,
    pub(super) manifests: BTreeMap<String, Manifest>,
    /// In the order in which they came.
    operations: Vec<Operation>,
    /// Collected operations are kept for the reports that are held.
    held: Option<Vec<Operation>>,
    /// Every vulnerability that ever was: its place is its id.
    vulnerabilities: Vec<Value>,
    refs: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            index_state: "cb31df8269833698891b35a63251a81a".to_owned(),
            layer_bytes: 0,
            layers: BTreeMap::new(),
            manifests: BTreeMap::new(),
            operations: vec![],
            held: None,
            vulnerabilities: vec![],
            refs: 0,
        }
    }
}

impl State {
    pub(super) fn update(&mut self, updater: &str, date: &str, vulnerabilities: Vec<Value>) -> String {
        self.refs += 1;
        let name = format!("00000000-0000-4000-8000-{:012x}", self.refs);
        let vulnerabilities =
            vulnerabilities.into_iter().map(|vulnerability| self.numbered(vulnerability)).collect();
        let (updater, date) = (updater.to_owned(), date.to_owned());
        self.operations.push(Operation { name: name.clone(), updater, date, vulnerabilities });
        name
    }

    /// Puts the operation that came last under the one before it.
    pub(super) fn began_before_the_newest(&mut self) {
        if let [.., newest, late] = self.operations.as_mut_slice() {
            std::mem::swap(newest, late);
        }
    }

    /// The same content keeps its id, as in Clair's table, where a hash of the content is the key.
    fn numbered(&mut self, mut vulnerability: Value) -> Value {
        vulnerability["id"] = json!("");
        let known = self.vulnerabilities.iter().position(|known| *known == vulnerability);
        let at = known.unwrap_or_else(|| {
            self.vulnerabilities.push(vulnerability.clone());
            self.vulnerabilities.len() - 1
        });
        vulnerability["id"] = json!((at + 1).to_string());
        vulnerability
    }

    pub(super) fn collect(&mut self, refs: &[&str]) {
        self.operations.retain(|operation| !refs.contains(&operation.name.as_str()));
    }

    pub(super) fn remove_updater(&mut self, updater: &str) {
        self.operations.retain(|operation| operation.updater != updater);
    }

    pub(super) fn empty(&mut self) {
        let (index_state, refs) = (self.index_state.clone(), self.refs);
        *self = Self { index_state, refs, layer_bytes: self.layer_bytes, ..Self::default() };
    }

    pub(super) fn hold(&mut self, hold: bool) {
        self.held = hold.then(|| self.operations.clone());
    }

    pub(super) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The validator of the list: the operation that came last, of whatever updater.
    pub(super) fn newest(&self) -> Option<&str> {
        self.operations.last().map(|operation| operation.name.as_str())
    }

    /// The list of operations, newest first.
    pub(super) fn list(&self, latest: bool) -> Value {
        let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for operation in self.operations.iter().rev() {
            let list = lists.entry(&operation.updater).or_default();
            if !latest || list.is_empty() {
                list.push(operation.json());
            }
        }
        json!(lists)
    }

    /// What reports are made from: the latest operation of each updater.
    pub(super) fn current(&self) -> Vec<&Value> {
        let mut latest: BTreeMap<&str, &Operation> = BTreeMap::new();
        for operation in self.held.as_ref().unwrap_or(&self.operations) {
            latest.insert(&operation.updater, operation);
        }
        latest.into_values().flat_map(|operation| &operation.vulnerabilities).collect()
    }

    /// Whether there is any vulnerability at all.
    pub(super) fn is_initialised(&self) -> bool {
        self.operations.iter().any(|operation| !operation.vulnerabilities.is_empty())
    }
}

impl Operation {
    pub(super) fn json(&self) -> Value {
        json!({"ref": self.name, "updater": self.updater, "fingerprint": self.name, "date": self.date, "kind": ""})
    }
}
