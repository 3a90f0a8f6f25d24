//! The options that all commands share: where the authority is, who asks, and who reads the answer.
//!
//! The environment stands in for options that are not given; an option that is given always wins over it.

use crate::failure::Failure;
use clap::Args;
use std::path::PathBuf;

const HEADING: &str = "Where the authority is, and who asks";

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Data directory of the authority on this machine; finds the running server by itself [env: DOORWARD_DATA]
    #[arg(long, global = true, value_name = "DIR", help_heading = HEADING)]
    pub data: Option<PathBuf>,

    /// Address of the authority's API, such as http://127.0.0.1:7480, instead of --data [env: DOORWARD_API]
    #[arg(long, global = true, value_name = "URL", help_heading = HEADING)]
    pub api: Option<String>,

    /// File with the token that the API asks for [env: DOORWARD_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub token_file: Option<PathBuf>,

    /// Certificate (PEM) that an https:// address is checked with [env: DOORWARD_CA]
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub ca: Option<PathBuf>,

    /// Who asks for a change, as the journal records it; your login name unless given
    #[arg(long = "as", id = "as", global = true, value_name = "NAME", help_heading = HEADING)]
    pub actor: Option<String>,

    /// Answer as JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,

    /// Write the list to a file for a spreadsheet, which ends in .csv or .xlsx
    #[arg(long, global = true, value_name = "FILE", value_parser = crate::sheet::file, conflicts_with = "json")]
    pub table: Option<PathBuf>,
}

/// Where to find an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Through the data directory of a server on this machine.
    Data(PathBuf),
    /// At an address.
    Api(String),
}

impl Options {
    /// The data directory, from the option or the environment.
    ///
    /// # Errors
    /// When neither names one.
    pub fn data_directory(&self) -> Result<PathBuf, Failure> {
        let data = self.data.clone().or_else(|| variable("DOORWARD_DATA").map(PathBuf::from));
        data.ok_or_else(|| {
            Failure::usage("no data directory is given").hint("name it with --data DIR, or in DOORWARD_DATA")
        })
    }

    /// Where the authority is: what is given on the command line wins over the environment.
    ///
    /// # Errors
    /// When nothing says where it is, or both a directory and an address are given.
    pub fn place(&self) -> Result<Place, Failure> {
        self.place_with(variable("DOORWARD_DATA"), variable("DOORWARD_API"))
    }

    fn place_with(&self, data: Option<String>, api: Option<String>) -> Result<Place, Failure> {
        match (&self.data, &self.api, data, api) {
            (Some(_), Some(_), ..) => {
                Err(Failure::usage("--data and --api both say where the authority is").hint("give one of them"))
            }
            (Some(data), None, ..) => Ok(Place::Data(data.clone())),
            (None, Some(api), ..) => Ok(Place::Api(api.clone())),
            (None, None, Some(_), Some(_)) => {
                Err(Failure::usage("DOORWARD_DATA and DOORWARD_API both say where the authority is")
                    .hint("unset one of them, or give --data or --api"))
            }
            (None, None, Some(data), None) => Ok(Place::Data(data.into())),
            (None, None, None, Some(api)) => Ok(Place::Api(api)),
            (None, None, None, None) => Err(Failure::usage("nothing says where the authority is")
                .hint("give --data DIR (or DOORWARD_DATA), or --api URL --token-file FILE (or DOORWARD_API)")),
        }
    }

    /// The token file that is named, if any.
    #[must_use]
    pub fn token_file(&self) -> Option<PathBuf> {
        self.token_file.clone().or_else(|| variable("DOORWARD_TOKEN_FILE").map(PathBuf::from))
    }

    /// The certificate file that is named, if any.
    #[must_use]
    pub fn certificate_file(&self) -> Option<PathBuf> {
        self.ca.clone().or_else(|| variable("DOORWARD_CA").map(PathBuf::from))
    }

    /// Who asks.
    #[must_use]
    pub fn actor(&self) -> String {
        self.actor.clone().or_else(|| variable("USER")).unwrap_or_else(|| "unknown".to_owned())
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_the_environment() {
        let given = |data: Option<&str>, api: Option<&str>| Options {
            data: data.map(Into::into),
            api: api.map(Into::into),
            ..Options::default()
        };
        let both = || (Some("env".to_owned()), Some("http://env".to_owned()));
        let place = |options: Options| options.place_with(both().0, both().1);
        assert_eq!(place(given(Some("here"), None)).unwrap(), Place::Data("here".into()));
        assert_eq!(place(given(None, Some("http://here"))).unwrap(), Place::Api("http://here".into()));
        assert!(place(given(None, None)).unwrap_err().hint.is_some());
        assert!(place(given(Some("a"), Some("b"))).is_err());
        assert_eq!(given(None, None).place_with(None, both().1).unwrap(), Place::Api("http://env".into()));
        assert_eq!(given(None, None).place_with(None, None).unwrap_err().code(), 2);
    }
}
