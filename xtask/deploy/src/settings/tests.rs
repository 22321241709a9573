//! Files that are right and files that are not.

use std::collections::BTreeSet;

use super::*;

const LEAST: &str = "environment = \"dev\"\nprefix = \"acme\"\ncostcenter = \"1234\"\npoc = \"me\"\n";

fn parse(text: &str) -> Result<Settings, Vec<Problem>> {
    Settings::parse(text, Path::new("/envs/dev.toml"))
}

fn problems(text: &str) -> Vec<String> {
    parse(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn one_problem(more: &str) -> String {
    let all = problems(&format!("{LEAST}{more}"));
    assert_eq!(all.len(), 1, "{more}: {all:?}");
    all[0].clone()
}

#[test]
fn four_lines_are_enough() {
    let settings = parse(LEAST).unwrap();
    assert_eq!((settings.name().as_str(), settings.region.as_str()), ("ecr-cve-monitor-dev", "us-east-1"));
    assert_eq!(settings.state, State::Local("/envs/ecr-cve-monitor-dev.tfstate".into()));
    assert!(settings.protect_data && settings.generate_secrets);
    let expected =
        json!({"environment": "dev", "prefix": "acme", "costcenter": "1234", "poc": "me", "image": "i"});
    assert_eq!(settings.variables("i"), expected);
}

#[test]
fn the_example_is_right_and_says_what_is_needed() {
    let example = include_str!("../../../../terraform/examples/environment.toml");
    let settings = parse(example).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(settings.image, None);
    // What stands there as a comment is right as well.
    let all: String = example
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .fold(String::new(), |all, line| all + line + "\n");
    let settings = parse(&all).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(settings.registries().len(), 2);
    assert!(matches!(settings.state, State::S3 { .. }), "{:?}", settings.state);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "enviroment = \"dev\"\nprefix = \"Acme\"\ncostcenter = 1234\nregion = \"eu-central\"\n\
                alarm_emails = [\"nobody\"]\naccount_id = \"12\"\nimage = \"x:latest\"\n[scaling]\nmax_clairs = 3\n";
    let all = problems(text);
    for part in [
        "there is no key `enviroment`\n      did you mean `environment`?",
        "`environment` is missing",
        "`poc` is missing",
        "`prefix` is `Acme`",
        "`costcenter` is integer\n      it has to be a text in quotes",
        "`region` is `eu-central`",
        "`alarm_emails` has `nobody`",
        "`account_id` is `12`",
        "`image` is `x:latest`",
        "there is no key `scaling.max_clairs`\n      did you mean `max_clair`?",
    ] {
        assert!(all.iter().any(|problem| problem.contains(part)), "{part}: {all:#?}");
    }
    assert_eq!(all.len(), 10, "{all:#?}");
}

#[test]
fn unknown_keys_within_tables_are_found_where_terraform_passes_them_over() {
    assert!(
        one_problem("[[registries]]\nacount_id = \"123456789012\"\n").contains("`registries[0].acount_id`")
    );
    assert!(
        one_problem("[existing_network]\nvpc_id = \"vpc-1\"\n")
            .contains("`existing_network.private_subnet_ids` is missing")
    );
    assert!(one_problem("registries = \"here\"\n").contains("one [[…]] for each"));
    assert!(one_problem("zebra = 1\n").contains("docs/deploy.md"));
}

#[test]
fn secrets_stand_in_no_file() {
    for name in ["db_password", "clair_psk"] {
        let told = one_problem(&format!("{name} = \"hunter2\"\n"));
        assert!(told.contains(&format!("TF_VAR_{name}")) && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn names_have_bounds() {
    let sized = |environment: usize, service: usize| {
        let (environment, service) = ("e".repeat(environment), "s".repeat(service));
        problems(&format!(
            "environment = \"{environment}\"\nservice = \"{service}\"\nprefix = \"a\"\ncostcenter = \"1\"\npoc = \"p\"\n"
        ))
    };
    assert!(sized(16, 15).is_empty());
    assert!(sized(16, 16)[0].contains("has 33 letters"));
    assert!(sized(17, 1)[0].contains("`environment`"));
    assert!(sized(1, 24).is_empty());
    assert!(sized(1, 25)[0].contains("`service`"));
    for (prefix, good) in
        [("a", true), ("a-b", true), ("-a", false), ("a-", false), ("a--b", false), ("a_b", false)]
    {
        assert_eq!(problems(&LEAST.replace("acme", prefix)).is_empty(), good, "{prefix}");
    }
    assert!(problems(&LEAST.replace("acme", &"p".repeat(20))).is_empty());
    assert!(!problems(&LEAST.replace("acme", &"p".repeat(21))).is_empty());
}

#[test]
fn pairs_that_fargate_does_not_have_are_found_before_anything_is_built() {
    let told = one_problem("[worker_size]\ncpu = 512\nmemory = 512\n");
    assert!(told.contains("512 CPU units it has 1024 to 4096 MiB"), "{told}");
    assert!(one_problem("[clair_size]\ncpu = 3000\n").contains("it has 256, 512"));
    assert!(one_problem("[worker_size]\nmemory = 1536\n").contains("256 CPU units and 1536 MiB"));
    assert!(parse(&format!("{LEAST}[clair_size]\ncpu = 16384\nmemory = 122880\n")).is_ok());
    // On instances any pair will do.
    assert!(parse(&format!("{LEAST}key_name = \"mine\"\n[worker_size]\ncpu = 512\nmemory = 512\n")).is_ok());
}

#[test]
fn broken_toml_names_the_line() {
    assert!(problems("environment = \"dev\"\nprefix = acme\n")[0].contains("dev.toml, line 2"));
}

/// Names in `variable "…"` blocks, and those within the types of objects.
fn variables_of_terraform() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with("variables") {
            continue;
        }
        let (mut variable, mut object) = (String::new(), false);
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("variable \"") {
                variable = rest.split('"').next().unwrap().to_owned();
                names.insert(variable.clone());
            }
            if line.contains("object({") {
                object = true;
            } else if line.trim_start().starts_with("})") {
                object = false;
            } else if let Some((name, _)) = line.split_once('=').filter(|_| object) {
                names.insert(format!("{variable}.{}", name.trim()));
            }
        }
    }
    names
}

#[test]
fn the_keys_are_the_variables_of_terraform() {
    let mut expected = variables_of_terraform();
    for secret in ["db_password", "clair_psk"] {
        assert!(expected.remove(secret), "{secret}");
    }
    let ours: BTreeSet<String> = keys::VARIABLES.iter().flat_map(keys::Key::names).collect();
    assert_eq!(ours, expected);
}
