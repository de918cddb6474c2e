//! Which modules refer to which, read with syn from the text of the files.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Re-exports are followed this far.
const MAX_REEXPORTS: usize = 8;

/// A module: the names of its path below the crate, none for the crate itself.
pub(super) type ModulePath = Vec<String>;

/// All modules that have a file of their own.
#[derive(Debug, Default)]
pub(super) struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

#[derive(Debug, Default)]
struct Module {
    references: Vec<Reference>,
    /// Names that `use` brings into the module, with their absolute paths.
    imported: BTreeMap<String, Vec<String>>,
}

/// A path in a file that leads to another item of the crate.
#[derive(Clone, Debug)]
struct Reference {
    line: usize,
    path: Vec<String>,
    in_test: bool,
}

/// A reference from one file to another.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) line: usize,
    /// Whether it stands in test code.
    pub(super) in_test: bool,
}

impl Crate {
    /// Reads the crate itself, without its program.
    pub(super) fn read_source() -> Self {
        let files = super::files();
        let library = files.iter().filter(|(path, _)| path != Path::new("main.rs"));
        Self::read(library.map(|(path, text)| (path.as_path(), text.as_str())))
    }

    /// Reads files, given as paths below `src` and texts.
    pub(super) fn read<'a>(files: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Self {
        let mut this = Self::default();
        for (path, text) in files {
            let mut module: ModulePath =
                path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let in_test = module.iter().any(|name| name == "tests");
            let mut reader = Reader { inner: module.clone(), in_test, module: Module::default() };
            reader.visit_file(&file);
            this.modules.insert(module, reader.module);
        }
        this
    }

    /// All references between files, re-exports resolved.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, module) in &self.modules {
            for Reference { line, path, in_test } in &module.references {
                let to = self.resolve(path, 0);
                if to != *from {
                    edges.push(Edge { from: from.clone(), to, line: *line, in_test: *in_test });
                }
            }
        }
        edges
    }

    /// The module that defines the item of an absolute path.
    fn resolve(&self, path: &[String], reexports: usize) -> ModulePath {
        let mut module = ModulePath::new();
        for (index, name) in path.iter().enumerate() {
            module.push(name.clone());
            if self.modules.contains_key(&module) {
                continue;
            }
            module.pop();
            let imported = self.modules.get(&module).and_then(|module| module.imported.get(name));
            if let Some(imported) = imported.filter(|_| reexports < MAX_REEXPORTS) {
                let rest = path.iter().skip(index + 1).cloned();
                let target: Vec<String> = imported.iter().cloned().chain(rest).collect();
                return self.resolve(&target, reexports + 1);
            }
            break;
        }
        module
    }
}

struct Reader {
    /// The path of the module that is being read; longer than that of the file within its inline modules.
    inner: ModulePath,
    in_test: bool,
    module: Module,
}

impl Reader {
    /// The absolute form of a path as it is written; `None` when it leads out of the crate or names a local item.
    fn absolute(&self, names: &[String]) -> Option<Vec<String>> {
        let mut base = self.inner.clone();
        let mut rest = names;
        match names.first()?.as_str() {
            "crate" => (base, rest) = (ModulePath::new(), names.get(1..)?),
            "self" => rest = names.get(1..)?,
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop()?;
                    rest = rest.get(1..)?;
                }
            }
            // The module's own child, or another crate.
            _ => {}
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn add(&mut self, line: usize, names: &[String]) {
        let Some(path) = self.absolute(names) else { return };
        self.module.references.push(Reference { line, path, in_test: self.in_test });
    }

    fn add_use(&mut self, tree: &syn::UseTree, names: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                names.push(path.ident.to_string());
                self.add_use(&path.tree, names);
                names.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add_use(item, names)),
            syn::UseTree::Glob(_) => self.add(tree.span().start().line, names),
            syn::UseTree::Name(leaf) => self.add_leaf(leaf.span(), &leaf.ident, &leaf.ident, names),
            syn::UseTree::Rename(leaf) => self.add_leaf(leaf.span(), &leaf.ident, &leaf.rename, names),
        }
    }

    /// Adds what `use` imports as `alias`: `name` in the module `names`.
    fn add_leaf(&mut self, span: Span, name: &Ident, alias: &Ident, names: &[String]) {
        let mut path = names.to_vec();
        // `a::{self}` imports `a`.
        if name != "self" {
            path.push(name.to_string());
        }
        self.add(span.start().line, &path);
        let alias = if alias == "self" { path.last().cloned() } else { Some(alias.to_string()) };
        if let Some((alias, path)) = alias.zip(self.absolute(&path)) {
            self.module.imported.entry(alias).or_insert(path);
        }
    }

    /// Paths in the arguments of a macro, which syn does not parse.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Ident(ident) if ["crate", "self", "super"].iter().any(|root| ident == root) => {
                    let mut names = vec![ident.to_string()];
                    while is_colon(at) && is_colon(at + 1) {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 2) else { break };
                        names.push(next.to_string());
                        at += 3;
                    }
                    if names.len() > 1 {
                        self.add(ident.span().start().line, &names);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether attributes say that an item is compiled for tests only.
pub(super) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list)
                if list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "test"))
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let before = self.in_test;
        if let syn::Item::Mod(module) = item {
            self.in_test |= is_for_tests(&module.attrs);
        } else if let syn::Item::Fn(function) = item {
            self.in_test |= is_for_tests(&function.attrs);
        }
        visit::visit_item(self, item);
        self.in_test = before;
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_some() {
            self.inner.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.inner.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A path of one name was imported, and is counted there.
        if names.len() > 1 && path.leading_colon.is_none() {
            self.add(path.span().start().line, &names);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(in crate::a)` imports nothing.
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.add_tokens(node.tokens.clone());
        visit::visit_macro(self, node);
    }
}
