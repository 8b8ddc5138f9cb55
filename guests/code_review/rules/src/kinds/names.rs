//! Names of packages that many depend on, to know look-alikes of them.

use crate::manifest::Ecosystem;

const NPM: &[&str] = &[
    "react",
    "react-dom",
    "lodash",
    "express",
    "axios",
    "chalk",
    "commander",
    "typescript",
    "webpack",
    "eslint",
    "prettier",
    "moment",
    "dotenv",
    "uuid",
    "underscore",
    "request",
    "inquirer",
    "yargs",
    "jquery",
    "mongoose",
    "socket.io",
    "mocha",
    "babel-core",
    "body-parser",
    "classnames",
    "cross-env",
    "rimraf",
    "semver",
    "bluebird",
    "electron",
    "puppeteer",
    "playwright",
    "nodemailer",
    "jsonwebtoken",
    "passport",
    "bcrypt",
    "bcryptjs",
    "sequelize",
    "knex",
    "mysql2",
    "sqlite3",
    "redis",
    "ioredis",
    "winston",
    "morgan",
    "helmet",
    "cookie-parser",
    "multer",
    "minimist",
    "node-fetch",
    "graphql",
    "rollup",
    "vite",
    "vitest",
    "tailwindcss",
    "postcss",
    "autoprefixer",
    "styled-components",
    "redux",
    "react-redux",
    "react-router",
    "react-router-dom",
    "formik",
    "date-fns",
    "dayjs",
    "immutable",
    "zustand",
    "svelte",
    "angular",
    "fastify",
    "nodemon",
    "concurrently",
    "husky",
    "lint-staged",
    "supertest",
    "cheerio",
    "validator",
    "glob",
    "mkdirp",
    "fs-extra",
    "colors",
    "debug",
    "async",
    "through2",
    "event-stream",
    "ua-parser-js",
    "discord.js",
    "ethers",
    "web3",
    "prisma",
    "typeorm",
    "handlebars",
    "mustache",
    "marked",
    "highlight.js",
    "bootstrap",
    "next-auth",
    "swagger-ui-express",
    "esbuild",
    "terser",
];
const PYPI: &[&str] = &[
    "requests",
    "urllib3",
    "numpy",
    "pandas",
    "scipy",
    "django",
    "flask",
    "jinja2",
    "werkzeug",
    "sqlalchemy",
    "celery",
    "redis",
    "pytest",
    "setuptools",
    "python-dateutil",
    "pyyaml",
    "cryptography",
    "boto3",
    "botocore",
    "matplotlib",
    "pillow",
    "beautifulsoup4",
    "selenium",
    "scrapy",
    "tensorflow",
    "pytorch",
    "torch",
    "scikit-learn",
    "fastapi",
    "pydantic",
    "uvicorn",
    "gunicorn",
    "aiohttp",
    "httpx",
    "click",
    "colorama",
    "tqdm",
    "lxml",
    "psycopg2",
    "psycopg2-binary",
    "pymongo",
    "paramiko",
    "alembic",
    "marshmallow",
    "attrs",
    "certifi",
    "idna",
    "charset-normalizer",
    "simplejson",
    "jsonschema",
    "tornado",
    "twisted",
    "virtualenv",
    "poetry",
    "tabulate",
    "openpyxl",
    "transformers",
    "opencv-python",
    "keras",
    "nltk",
    "spacy",
    "docker",
    "kubernetes",
    "ansible",
    "pyjwt",
    "passlib",
    "bcrypt",
    "python-dotenv",
    "typing-extensions",
    "mypy",
    "pylint",
    "langchain",
    "openai",
    "streamlit",
    "djangorestframework",
    "graphene",
    "sentry-sdk",
    "newrelic",
    "datadog",
    "markdown",
];
const CRATES: &[&str] = &[
    "serde",
    "serde_json",
    "serde_derive",
    "tokio",
    "reqwest",
    "hyper",
    "anyhow",
    "thiserror",
    "regex",
    "rand",
    "clap",
    "chrono",
    "tracing",
    "futures",
    "rayon",
    "itertools",
    "lazy_static",
    "once_cell",
    "bytes",
    "async-trait",
    "actix-web",
    "rustls",
    "openssl",
    "diesel",
    "sqlx",
    "uuid",
    "base64",
    "crossbeam",
    "parking_lot",
    "indexmap",
    "hashbrown",
    "bitflags",
    "syn",
    "quote",
    "proc-macro2",
    "rustdecimal",
    "rust_decimal",
    "num-traits",
    "env_logger",
    "tempfile",
    "criterion",
    "axum",
];
const GEMS: &[&str] = &[
    "rails",
    "devise",
    "nokogiri",
    "sidekiq",
    "puma",
    "rspec",
    "rspec-rails",
    "rubocop",
    "capybara",
    "bundler",
    "activerecord",
    "activesupport",
    "sinatra",
    "faraday",
    "httparty",
    "rest-client",
    "jekyll",
    "kaminari",
    "pundit",
    "cancancan",
    "redis",
    "bootsnap",
    "factory_bot",
    "faker",
    "simplecov",
    "webmock",
    "carrierwave",
    "paperclip",
    "omniauth",
    "bcrypt",
    "strong_password",
];

fn popular(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Npm => NPM,
        Ecosystem::Python => PYPI,
        Ecosystem::Cargo => CRATES,
        Ecosystem::Ruby => GEMS,
        _ => &[],
    }
}

/// The popular package that a name looks like without being it.
pub fn look_alike(ecosystem: Ecosystem, name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let known = popular(ecosystem);
    let same = |other: &&&str| other.replace('_', "-") == lower;
    if known.iter().any(|other| same(&other)) || lower.len() < 5 {
        return None;
    }
    known.iter().find(|other| is_near(&lower, &other.replace('_', "-"))).copied()
}

/// One letter more, less, other or swapped; short names must be swapped or doubled to count.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if b.len() < 5 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let long = b.len() >= 7;
    match a.len() as i32 - b.len() as i32 {
        0 => {
            let swapped =
                rest_a.len() >= 2 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] && rest_a[2..] == rest_b[2..];
            swapped || (long && start > 0 && rest_a[1..] == rest_b[1..] && rest_a[0].is_ascii_alphabetic())
        }
        1 => {
            let more = rest_a[1..] == *rest_b;
            let doubled = start > 0 && rest_a[0] == a[start - 1];
            more && (doubled || (long && rest_a[0] != b'-' && !rest_a[0].is_ascii_digit()))
        }
        _ => {
            rest_a == &rest_b[1..] && start > 0 && (long || b[start] == b[start - 1]) && b[start].is_ascii_alphabetic()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_look_alikes_from_neighbours() {
        assert_eq!(look_alike(Ecosystem::Npm, "lodahs"), Some("lodash"));
        assert_eq!(look_alike(Ecosystem::Npm, "expresss"), Some("express"));
        assert_eq!(look_alike(Ecosystem::Python, "reqeusts"), Some("requests"));
        assert_eq!(look_alike(Ecosystem::Cargo, "rustdecimal"), None);
        for name in ["preact", "lodash", "color", "requests-mock", "next", "mysql", "axios"] {
            assert_eq!(look_alike(Ecosystem::Npm, name), None, "{name}");
        }
    }
}
