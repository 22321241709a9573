//! A folder of terraform code: what is declared in it.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::Problem;
use crate::code::Code;

/// The folder of the stack, and of all modules.
const ROOT: &str = "terraform";

/// Type and name of a resource or data source.
pub(crate) type Address = (String, String);

/// Something that is declared, and where.
#[derive(Debug, Clone)]
pub(crate) struct Declared<T = Body> {
    pub(crate) file: String,
    pub(crate) it: T,
}

/// A folder.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) folder: String,
    pub(crate) resources: BTreeMap<Address, Declared>,
    pub(crate) data: BTreeMap<Address, Declared>,
    pub(crate) ephemeral: BTreeMap<Address, Declared>,
    pub(crate) variables: BTreeMap<String, Declared>,
    pub(crate) outputs: BTreeMap<String, Declared>,
    pub(crate) calls: BTreeMap<String, Declared>,
    pub(crate) locals: BTreeMap<String, Declared<Expression>>,
    pub(crate) providers: Vec<Declared>,
    /// What is declared twice, or not terraform's.
    pub(crate) wrong: Vec<Problem>,
}

/// Every module by its folder.
#[derive(Debug)]
pub struct Modules(pub(crate) BTreeMap<String, Module>);

impl Modules {
    /// Reads the modules of the stack, and the stack itself.
    ///
    /// # Errors
    /// What could not be parsed, file by file.
    pub fn read(code: &Code) -> Result<Self, Vec<Problem>> {
        let mut modules: BTreeMap<String, Module> = BTreeMap::new();
        let mut unread = vec![];
        for (path, text) in code.under(ROOT, ".tf") {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let module = modules
                .entry(folder.to_owned())
                .or_insert_with(|| Module { folder: folder.to_owned(), ..Module::default() });
            match hcl_edit::parser::parse_body(text) {
                Ok(body) => body.into_blocks().for_each(|block| module.take(path, block)),
                Err(error) => unread.push(Problem::new(path, format!("cannot be parsed: {error}"))),
            }
        }
        if unread.is_empty() { Ok(Self(modules)) } else { Err(unread) }
    }
}

impl Module {
    fn take(&mut self, file: &str, block: Block) {
        let labels: Vec<String> = block.labels.iter().map(|label| label.as_str().to_owned()).collect();
        let kind = block.ident.to_string();
        let it = Declared { file: file.to_owned(), it: block.body };
        let twice = match (kind.as_str(), labels.as_slice()) {
            ("resource", [kind, name]) => insert(&mut self.resources, (kind.clone(), name.clone()), it),
            ("data", [kind, name]) => insert(&mut self.data, (kind.clone(), name.clone()), it),
            ("ephemeral", [kind, name]) => insert(&mut self.ephemeral, (kind.clone(), name.clone()), it),
            ("variable", [name]) => insert(&mut self.variables, name.clone(), it),
            ("output", [name]) => insert(&mut self.outputs, name.clone(), it),
            ("module", [name]) => insert(&mut self.calls, name.clone(), it),
            ("provider", [_]) => {
                self.providers.push(it);
                None
            }
            ("locals", []) => self.take_locals(it),
            ("terraform", []) | ("moved" | "removed" | "import" | "check", _) => None,
            _ => Some(format!("no block `{kind}` with {} labels", labels.len())),
        };
        self.wrong.extend(twice.map(|problem| Problem::new(file, problem)));
    }

    fn take_locals(&mut self, body: Declared) -> Option<String> {
        let mut twice = None;
        for attribute in body.it.into_attributes() {
            let it = Declared { file: body.file.clone(), it: attribute.value };
            twice = twice.or(insert(&mut self.locals, attribute.key.to_string(), it));
        }
        twice
    }

    /// The folder that a module of a local path lies in, as this one names it.
    pub(crate) fn resolve(&self, source: &str) -> Option<String> {
        let mut path: Vec<&str> = self.folder.split('/').collect();
        for step in source.strip_prefix('.').map(|_| source)?.split('/') {
            match step {
                "." => {}
                ".." => {
                    path.pop()?;
                }
                step => path.push(step),
            }
        }
        Some(path.join("/"))
    }
}

/// Says so where it was there.
fn insert<K: Ord + std::fmt::Debug, V>(into: &mut BTreeMap<K, V>, key: K, value: V) -> Option<String> {
    let name = format!("{key:?} is declared twice");
    into.insert(key, value).map(|_| name)
}

/// An attribute of a body.
pub(crate) fn attribute<'a>(body: &'a Body, key: &str) -> Option<&'a Expression> {
    body.get_attribute(key).map(|attribute| &attribute.value)
}
