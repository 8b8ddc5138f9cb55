//! What a path alone tells about a file.

use crate::lang::Lang;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub test: bool,
    pub docs: bool,
    pub example: bool,
    pub generated: bool,
    pub lock: bool,
    pub vendored: bool,
    pub migration: bool,
    pub workflow: bool,
    pub manifest: bool,
}

const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "pipfile.lock",
    "gemfile.lock",
    "composer.lock",
    "go.sum",
    "packages.lock.json",
    "podfile.lock",
    "package.resolved",
    "pubspec.lock",
    "mix.lock",
    "gradle.lockfile",
    "flake.lock",
    "deno.lock",
    ".terraform.lock.hcl",
];

const MANIFESTS: &[&str] = &[
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pipfile",
    "cargo.toml",
    "go.mod",
    "gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "libs.versions.toml",
    "directory.packages.props",
    "packages.config",
    "nuget.config",
    "podfile",
    "package.swift",
    "pubspec.yaml",
    "mix.exs",
    "build.sbt",
    "deno.json",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "pip.conf",
    "environment.yml",
];

impl Place {
    pub fn of(path: &str) -> Place {
        let lower = path.to_ascii_lowercase();
        let (dirs, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let lang = Lang::of(path);
        // Below these, folders are names of packages.
        let dirs = ["src/main/java", "src/main/kotlin", "src/main/scala", "src/main/groovy"]
            .iter()
            .find_map(|root| dirs.find(root).map(|at| &dirs[..at + root.len()]))
            .unwrap_or(dirs);
        let has_dir = |names: &[&str]| dirs.split('/').any(|dir| names.contains(&dir));
        let lock = LOCKS.contains(&name);
        let manifest = MANIFESTS.contains(&name)
            || [".csproj", ".fsproj", ".vbproj", ".gemspec", ".podspec", ".nuspec"].iter().any(|e| name.ends_with(e))
            || (name.ends_with(".txt") && (name.starts_with("requirements") || has_dir(&["requirements"])))
            || (name.ends_with(".in") && name.starts_with("requirements"));
        Place {
            test: is_test(path, dirs, name) && !is_workflow(&lower, dirs, name),
            docs: (lang.is_prose() && !manifest && !lock) || has_dir(&["docs", "doc", "documentation", "man"]),
            example: has_dir(&["examples", "example", "samples", "sample", "demo", "demos", "playground", "tutorials"])
                || [".example", ".sample", ".template", ".dist", ".tmpl"].iter().any(|e| name.ends_with(e))
                || name.contains(".example.")
                || name.contains(".sample."),
            generated: is_generated(dirs, name),
            lock,
            vendored: has_dir(&["vendor", "node_modules", "third_party", "thirdparty", "3rdparty", "bower_components"]),
            migration: is_migration(dirs, name, lang),
            workflow: is_workflow(&lower, dirs, name),
            manifest,
        }
    }

    /// A place where values and statements are not run against anything real.
    pub fn is_harmless(&self) -> bool {
        self.test || self.docs || self.example || self.generated || self.vendored
    }
}

fn is_test(path: &str, dirs: &str, name: &str) -> bool {
    const DIRS: &[&str] = &[
        "test",
        "tests",
        "__tests__",
        "spec",
        "specs",
        "testing",
        "testdata",
        "fixtures",
        "fixture",
        "__mocks__",
        "mocks",
        "e2e",
        "androidtest",
        "testfixtures",
        "integrationtest",
        "it",
        "testcases",
        "__fixtures__",
        "cypress",
    ];
    let in_dir = dirs.split('/').any(|dir| {
        DIRS.contains(&dir)
            || dir.ends_with(".tests")
            || dir.ends_with(".test")
            || dir.ends_with("-tests")
            || dir.ends_with("_tests")
    });
    let stem = name.split('.').next().unwrap_or(name);
    let original = path.rsplit('/').next().unwrap_or(path);
    let original = original.split('.').next().unwrap_or(original);
    in_dir
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || stem == "conftest"
        || stem == "test"
        || stem == "tests"
        || [".test.", ".spec.", ".cy.", ".e2e.", ".stories."].iter().any(|part| name.contains(part))
        || ["Test", "Tests", "Spec", "IT", "TestCase"].iter().any(|end| {
            original.len() > end.len()
                && original.ends_with(end)
                && original.as_bytes()[original.len() - end.len() - 1].is_ascii_lowercase()
        })
}

fn is_generated(dirs: &str, name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".min.js",
        ".min.css",
        ".bundle.js",
        ".pb.go",
        "_pb2.py",
        "_pb2_grpc.py",
        ".pb.cc",
        ".pb.h",
        ".g.cs",
        ".designer.cs",
        ".generated.cs",
        ".generated.ts",
        "_generated.go",
        ".gen.go",
        "_gen.go",
        ".gen.ts",
        ".g.dart",
        ".freezed.dart",
        ".map",
        ".snap",
        "_pb.js",
        "_pb.d.ts",
        ".pbxproj",
        "modelsnapshot.cs",
        ".grpc.swift",
        ".pb.swift",
    ];
    ENDINGS.iter().any(|e| name.ends_with(e))
        || dirs
            .split('/')
            .any(|d| matches!(d, "dist" | "generated" | "gen" | "__generated__" | "__snapshots__" | "obj"))
        || name.starts_with("zz_generated")
        || name.starts_with("mock_")
}

fn is_migration(dirs: &str, name: &str, lang: Lang) -> bool {
    let dir = dirs.split('/').any(|d| {
        matches!(
            d,
            "migrations" | "migration" | "migrate" | "versions" | "changelogs" | "changelog" | "upgrades" | "flyway"
        ) || d.ends_with("_migrations")
            || d.ends_with("-migrations")
            || d.ends_with(".migrations")
    });
    let versions_only =
        dirs.split('/').any(|d| d == "versions") && !dirs.contains("alembic") && !dirs.contains("migration");
    let flyway = lang == Lang::Sql
        && (name.starts_with('v') || name.starts_with('u'))
        && name.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let numbered = lang == Lang::Sql && name.as_bytes().first().is_some_and(u8::is_ascii_digit);
    let kind = lang.is_code() || matches!(lang, Lang::Xml | Lang::Yaml | Lang::Json);
    kind && ((dir && !versions_only) || flyway || numbered)
}

fn is_workflow(path: &str, dirs: &str, name: &str) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    (yaml
        && (dirs.ends_with(".github/workflows")
            || dirs.contains(".github/actions")
            || dirs.contains(".circleci")
            || dirs.contains(".buildkite")
            || dirs.contains(".woodpecker")
            || dirs.contains(".forgejo/workflows")
            || dirs.contains(".gitea/workflows")
            || dirs.contains(".gitlab")
            || name == "action.yml"
            || name == "action.yaml"
            || name.ends_with(".gitlab-ci.yml")
            || name.starts_with(".travis")
            || name.starts_with("azure-pipelines")
            || name.starts_with("bitbucket-pipelines")
            || name.starts_with(".drone")
            || name.starts_with("cloudbuild")
            || name.starts_with("appveyor")
            || name.starts_with(".appveyor")
            || name.starts_with("buildspec")))
        || path.ends_with("jenkinsfile")
}
