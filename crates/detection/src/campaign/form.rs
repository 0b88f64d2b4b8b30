//! A campaign as a file's payload: RFC 8785 canonical JSON, hashes as 16 hexadecimal digits.

use facts::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BackTest, Campaign, CampaignError, CampaignParts, HASHES_MAX, KnownProgramme, MadeFrom,
    PROGRAMMES_MAX, Rule,
};
use crate::sketch::SHINGLE;

/// The largest payload: all hashes with their quotes, and the rest.
const BYTES_MAX: usize = PROGRAMMES_MAX * (HASHES_MAX * 19 + 64) + 4_096;

/// The version of the normal form in which prompts are read.
const TEXT: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u8,
    /// Words in a shingle.
    shingle: usize,
    /// Version of the normal form.
    text: u8,
    name: String,
    made_at: i64,
    expires_at: i64,
    made_from: Made,
    rule: RuleForm,
    programmes: Vec<ProgrammeForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back_test: Option<BackTestForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    accounts: u64,
    exchanges: u64,
    prompts: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    hashes_min: u32,
    hashes_percent: u32,
    prompts_min: u32,
    prompts_within: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgrammeForm {
    prompts: u64,
    hashes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackTestForm {
    accounts: u64,
    exchanges: u64,
    fired: u64,
}

fn refused(why: impl std::fmt::Display) -> CampaignError {
    CampaignError::Form(why.to_string())
}

fn hash(text: &str) -> Result<u64, CampaignError> {
    let digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let read = u64::from_str_radix(text, 16).ok();
    read.filter(|_| digits && text.len() == 16).ok_or_else(|| {
        let shown: String = text.chars().take(20).collect();
        refused(format!("`{shown}` is not a hash of 16 hexadecimal digits"))
    })
}

fn form(campaign: &Campaign) -> Form {
    let parts = campaign.parts();
    Form {
        v: 1,
        shingle: SHINGLE,
        text: TEXT,
        name: parts.name.clone(),
        made_at: parts.made_at.0,
        expires_at: parts.expires_at.0,
        made_from: Made {
            accounts: parts.made_from.accounts,
            exchanges: parts.made_from.exchanges,
            prompts: parts.made_from.prompts,
        },
        rule: RuleForm {
            hashes_min: parts.rule.hashes_min,
            hashes_percent: parts.rule.hashes_percent,
            prompts_min: parts.rule.prompts_min,
            prompts_within: parts.rule.prompts_within,
        },
        programmes: parts
            .programmes
            .iter()
            .map(|p| ProgrammeForm {
                prompts: p.prompts,
                hashes: p.hashes.iter().map(|h| format!("{h:016x}")).collect(),
            })
            .collect(),
        back_test: parts.back_test.map(|t| BackTestForm {
            accounts: t.accounts,
            exchanges: t.exchanges,
            fired: t.fired,
        }),
    }
}

fn programme(form: &ProgrammeForm) -> Result<KnownProgramme, CampaignError> {
    Ok(KnownProgramme {
        prompts: form.prompts,
        hashes: form
            .hashes
            .iter()
            .map(|h| hash(h))
            .collect::<Result<_, _>>()?,
    })
}

fn parts(form: &Form) -> Result<CampaignParts, CampaignError> {
    let programmes = form.programmes.iter().map(programme);
    Ok(CampaignParts {
        name: form.name.clone(),
        made_at: Timestamp(form.made_at),
        expires_at: Timestamp(form.expires_at),
        made_from: MadeFrom {
            accounts: form.made_from.accounts,
            exchanges: form.made_from.exchanges,
            prompts: form.made_from.prompts,
        },
        rule: Rule {
            hashes_min: form.rule.hashes_min,
            hashes_percent: form.rule.hashes_percent,
            prompts_min: form.rule.prompts_min,
            prompts_within: form.rule.prompts_within,
        },
        programmes: programmes.collect::<Result<_, _>>()?,
        back_test: form.back_test.as_ref().map(|t| BackTest {
            accounts: t.accounts,
            exchanges: t.exchanges,
            fired: t.fired,
        }),
    })
}

impl Campaign {
    /// The payload of its file.
    ///
    /// # Errors
    /// [`CampaignError::Form`] when a count is beyond what JSON keeps exactly (2^53 - 1).
    pub fn canonical(&self) -> Result<Vec<u8>, CampaignError> {
        let form = form(self);
        let test = form.back_test.as_ref();
        let counts = [
            form.made_from.accounts,
            form.made_from.exchanges,
            form.made_from.prompts,
            test.map_or(0, |t| t.accounts),
            test.map_or(0, |t| t.exchanges),
        ];
        let of_programmes = form.programmes.iter().map(|p| p.prompts);
        if counts
            .into_iter()
            .chain(of_programmes)
            .any(|n| n >= 1 << 53)
        {
            return Err(refused("a count is beyond 2^53 - 1"));
        }
        serde_json_canonicalizer::to_vec(&form).map_err(refused)
    }

    /// Reads a payload. Strict: bytes that are not exactly what [`Campaign::canonical`] writes
    /// are refused.
    ///
    /// # Errors
    /// [`CampaignError`] naming what does not hold.
    pub fn parse(bytes: &[u8]) -> Result<Self, CampaignError> {
        if bytes.len() > BYTES_MAX {
            let n = bytes.len();
            return Err(refused(format!("{n} bytes exceed {BYTES_MAX}")));
        }
        let form: Form = serde_json::from_slice(bytes).map_err(refused)?;
        if (form.v, form.shingle, form.text) != (1, SHINGLE, TEXT) {
            return Err(refused(format!(
                "version {} with shingles of {} words in normal form {} is not known here; a newer release may read it",
                form.v, form.shingle, form.text
            )));
        }
        let read = Self::new(parts(&form)?)?;
        if read.canonical()? != bytes {
            return Err(refused("it is not in canonical form"));
        }
        Ok(read)
    }
}
