//! `token`: generates a token for a moderator or a trusted nickname, and its entry for the tokens file.

use std::io;
use std::process::ExitCode;

use super::print_to;
use crate::auth::{Token, check_name};
use crate::model::{Nickname, ReservedNames};

#[derive(Debug, clap::Args)]
pub(super) struct TokenArgs {
    /// Print a complete entry for this moderator, with scope `read`.
    #[arg(long, value_name = "NAME", value_parser = moderator, conflicts_with = "nickname")]
    name: Option<String>,
    /// Print a complete entry for this trusted nickname.
    #[arg(long, value_name = "NICKNAME", value_parser = trusted)]
    nickname: Option<String>,
}

fn moderator(name: &str) -> Result<String, String> {
    check_name(name).map(|()| name.to_owned())
}

fn trusted(nickname: &str) -> Result<String, String> {
    // The settings may reserve others; the relay checks the file with them.
    if ReservedNames::default().contains(nickname) {
        return Err("is reserved for the relay".to_owned());
    }
    Nickname::check(nickname).map(|()| nickname.to_owned()).map_err(|error| error.to_string())
}

/// Prints the entry to standard output, where it can be appended to the file, and the token to standard error. Neither
/// is stored.
pub(super) fn make(arguments: &TokenArgs) -> ExitCode {
    let token = match Token::random() {
        Ok(token) => token,
        Err(error) => {
            print_to(io::stderr(), &format!("gischat-relay: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let hash = token.hash();
    let entry = match arguments {
        TokenArgs { name: Some(name), .. } => {
            format!("[[moderator]]\nname = \"{name}\"\ntoken = \"{hash}\"\nscopes = [\"read\"]\n")
        }
        TokenArgs { nickname: Some(nickname), .. } => {
            format!("[[trusted]]\nnickname = \"{nickname}\"\ntoken = \"{hash}\"\n")
        }
        TokenArgs { name: None, nickname: None } => format!("token = \"{hash}\"\n"),
    };
    print_to(io::stdout(), &entry);
    print_to(io::stderr(), &format!("the token is shown only once and not stored:\n{}\n", token.reveal()));
    ExitCode::SUCCESS
}
