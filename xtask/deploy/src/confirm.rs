//! What a person has to say before something happens.

use std::io::{BufRead, Write};

use crate::terraform::plan::Plan;

/// What was said on the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consent {
    /// Yes to what loses no data.
    pub(crate) yes: bool,
    /// The names of what may be lost.
    pub(crate) destroy_data: Vec<String>,
}

/// Asks for what was not said already; true where all was agreed to. Each thing that holds data is asked for by name.
pub(crate) fn agreed(
    plan: &Plan,
    consent: &Consent,
    question: &str,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> std::io::Result<bool> {
    let unnamed: Vec<&str> = plan
        .data()
        .into_iter()
        .filter(|name| !consent.destroy_data.iter().any(|named| named == name))
        .collect();
    if !unnamed.is_empty() {
        writeln!(out, "\nWhat these hold is lost for good: {}", unnamed.join(", "))?;
    }
    for name in &unnamed {
        write!(out, "type its name to destroy {name}: ")?;
        out.flush()?;
        if answer(input)? != *name {
            let flags: Vec<String> = unnamed.iter().map(|name| format!("--destroy-data {name}")).collect();
            writeln!(out, "\nnot destroyed: nothing was changed. Without a terminal: {}", flags.join(" "))?;
            return Ok(false);
        }
    }
    if consent.yes {
        return Ok(true);
    }
    write!(out, "\n{question} [y/N] ")?;
    out.flush()?;
    let said = answer(input)?;
    let agreed = matches!(said.as_str(), "y" | "Y" | "yes");
    if !agreed {
        writeln!(out, "\nnothing was changed")?;
    }
    Ok(agreed)
}

fn answer(input: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destroying() -> Plan {
        let shown = include_str!("../tests/fixtures/destroy.json");
        Plan::read(&serde_json::from_str(shown).unwrap()).unwrap()
    }

    fn said(plan: &Plan, consent: &Consent, typed: &str) -> (bool, String) {
        let mut out = Vec::new();
        let agreed = agreed(plan, consent, "Go on?", &mut typed.as_bytes(), &mut out).unwrap();
        (agreed, String::from_utf8(out).unwrap())
    }

    #[test]
    fn yes_does_not_cover_what_holds_data() {
        let plan = destroying();
        let yes = Consent { yes: true, ..Consent::default() };
        let (agreed, out) = said(&plan, &yes, "");
        assert!(!agreed);
        for name in plan.data() {
            assert!(out.contains(&format!("--destroy-data {name}")), "{out}");
        }
    }

    #[test]
    fn every_name_has_to_be_typed_or_given() {
        let plan = destroying();
        let names = plan.data();
        let yes = Consent { yes: true, destroy_data: vec![names[0].to_owned()] };
        let typed = names[1..].join("\n") + "\n";
        assert!(said(&plan, &yes, &typed).0);
        let wrong = typed.replacen(names[1], "yes", 1);
        assert!(!said(&plan, &yes, &wrong).0);
        let all = Consent { yes: true, destroy_data: names.iter().map(|name| (*name).to_owned()).collect() };
        assert!(said(&plan, &all, "").0);
    }

    #[test]
    fn no_answer_is_no() {
        let nothing = Plan::default();
        for (typed, agreed) in [("", false), ("\n", false), ("n\n", false), ("y\n", true), ("yes\n", true)] {
            assert_eq!(said(&nothing, &Consent::default(), typed).0, agreed, "{typed:?}");
        }
    }
}
