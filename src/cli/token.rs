//! `token`: makes a token for a moderator or a trusted sender, and the entry of it for the file of tokens.

use std::io;
use std::process::ExitCode;

use super::tell;
use crate::model::{Nickname, is_reserved};
use crate::moderation::Token;
use crate::moderation::access::check_name;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The moderator whom it is for: the whole entry is printed, with scope `read`.
    #[arg(long, value_name = "NAME", value_parser = moderator, conflicts_with = "nickname")]
    name: Option<String>,
    /// The nickname that it is to prove: the whole entry is printed.
    #[arg(long, value_name = "NICKNAME", value_parser = trusted)]
    nickname: Option<String>,
}

fn moderator(name: &str) -> Result<String, String> {
    check_name(name).map(|()| name.to_owned())
}

fn trusted(nickname: &str) -> Result<String, String> {
    if is_reserved(nickname) {
        return Err("is kept for the relay itself".to_owned());
    }
    Nickname::parse(nickname).map(|nickname| nickname.to_string()).map_err(|fault| fault.to_string())
}

/// Prints what goes into the file on standard output, where it may be appended to that file, and the token itself on
/// standard error, so that it never gets there. Neither is stored.
pub(super) fn make(arguments: &Arguments) -> ExitCode {
    let token = match Token::random() {
        Ok(token) => token,
        Err(fault) => {
            tell(io::stderr(), &format!("gischat-relay: {fault}\n"));
            return ExitCode::FAILURE;
        }
    };
    let hash = token.hash();
    let entry = match arguments {
        Arguments { name: Some(name), .. } => {
            format!("[[moderator]]\nname = \"{name}\"\ntoken = \"{hash}\"\nscopes = [\"read\"]\n")
        }
        Arguments { nickname: Some(nickname), .. } => {
            format!("[[trusted]]\nnickname = \"{nickname}\"\ntoken = \"{hash}\"\n")
        }
        Arguments { name: None, nickname: None } => format!("token = \"{hash}\"\n"),
    };
    tell(io::stdout(), &entry);
    tell(io::stderr(), &format!("the token, shown only now and stored nowhere:\n{}\n", token.reveal()));
    ExitCode::SUCCESS
}
