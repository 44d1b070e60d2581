//! The requests of the conversations.

use std::fs;
use std::path::{Path, PathBuf};

use crate::script::{How, Script, What, expand};

/// How long calls, questions and tasks last at most: short, so that a server is soon as it was. And good requests come as often as they like.
const LIVES: &[(&str, &str)] = &[
    ("tool-timeout", "5000"),
    ("input-timeout", "5000"),
    ("task-timeout", "5000"),
    ("requests-per-principal", "4294967295/1"),
];
/// Longer than any of them.
pub(crate) const ALL_OVER_MS: u64 = 6_500;

/// The time at which the access tokens of the conversations are good, in seconds of the wall clock.
pub(crate) const UNIX_S: u64 = 1_700_000_000;

/// A file of conversations, and what its clients send.
pub(crate) struct Book {
    pub(crate) name: String,
    pub(crate) script: Script,
    /// Requests, in which `$(name)` is left where it was learned from an answer.
    pub(crate) requests: Vec<(String, How)>,
}

/// All files, of the project in this folder.
pub(crate) fn books(project: &Path) -> Vec<Book> {
    let folder = project.join("tests/conversations");
    let common = fs::read_to_string(folder.join("common.txt")).unwrap();
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt") && !path.ends_with("common.txt"));
    paths.sort();
    paths.iter().map(|path| book(path, &common)).collect()
}

fn book(path: &PathBuf, common: &str) -> Book {
    let mut script = Script::parse(common, &fs::read_to_string(path).unwrap());
    for (name, value) in LIVES {
        script.options.push(((*name).to_owned(), (*value).to_owned()));
    }
    let mut requests = Vec::new();
    for section in &script.sections {
        let mut names = script.names.clone();
        for step in &section.steps {
            match &step.what {
                What::Let(name) => drop(names.insert(name.clone(), expand(&step.text, &names))),
                What::Send { how, .. } => requests.push((expand(&step.text, &names), *how)),
                _ => {}
            }
        }
    }
    Book { name: path.file_stem().unwrap().to_string_lossy().into_owned(), script, requests }
}

impl Book {
    /// A token that lets in, where one is asked for.
    pub(crate) fn token(&self) -> Option<&str> {
        let named = || self.option("access").and_then(|access| access.split(':').nth(1));
        // Of those whose users come with access tokens, she is one.
        let user = || self.script.names.get("ann").map(String::as_str);
        self.option("token").or_else(named).or_else(user)
    }

    /// The value of an option of the file, if it has one.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.script.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }
}
