//! The customer's own pages: what it uses, what binds it, what is said against
//! it, and how to answer. They show the same clause, metric and number that
//! reviewers see, and stay open in every state of account and case.

use askama::Template;
use axum::extract::{Multipart, Path, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Extensions, HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use store::{SystemClock, Whose};

use super::frame::{Frame, PORTAL, Pages, Posted, on, refused, shown, wrong};
use super::sign_in::{Nothing, Told, gone, too_often, unread};
use super::subject::{Used, chart};
use super::work::download;
use super::{language, picture, words};
use crate::caseroom::Caseroom;
use crate::cases::{CaseStep, CaseView, NewCondition, Step, TextView};
use crate::casework::NewAttachment;
use crate::door::{Customer, Side, same, token_digest};
use crate::office::OfficeError;
use crate::overview::OverviewView;
use crate::terms::TermsView;

/// The largest form with files: five of five mebibytes, and what surrounds them.
pub(super) const FILES_BYTES_MAX: usize = 26 << 20;

#[derive(Template, Serialize)]
#[template(path = "portal_sign_in.html")]
struct SignInPage {
    #[serde(skip)]
    frame: Frame,
    invited: Option<Invited>,
}

#[derive(Serialize)]
struct Invited {
    #[serde(skip)]
    token: String,
    account: String,
}

fn stranger() -> Frame {
    Frame {
        title: "Sign in".to_owned(),
        base: PORTAL,
        ..Frame::default()
    }
}

pub(super) async fn sign_in(headers: HeaderMap) -> Response {
    let page = SignInPage {
        frame: stranger(),
        invited: None,
    };
    shown(&headers, &page)
}

pub(super) async fn invited<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger());
    }
    let database = pages.door.database();
    match database
        .invite(&token_digest(&token), SystemClock.now())
        .await
    {
        Ok(Some(Whose::Account(account))) => {
            let page = SignInPage {
                frame: stranger(),
                invited: Some(Invited { token, account }),
            };
            shown(&headers, &page)
        }
        Ok(_) => gone(&headers, stranger()),
        Err(error) => unread(&headers, &error),
    }
}

async fn enter<O: Caseroom>(
    pages: &Pages<O>,
    headers: &HeaderMap,
    account: String,
    how: &str,
) -> Response {
    let entered = pages
        .door
        .sign_in(Side::Customer, Whose::Account(account), how);
    match entered.await {
        Ok(cookie) => {
            let mut response = on("/fairhold/portal?told=welcome");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Err(error) => unread(headers, &error),
    }
}

pub(super) async fn accept<O: Caseroom>(
    State(pages): State<Pages<O>>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    if !pages.door.may_try(&pages.door.from(&extensions, &headers)) {
        return too_often(&headers, stranger());
    }
    let digest = token_digest(&token);
    let database = pages.door.database();
    let used = async {
        match database.invite(&digest, SystemClock.now()).await? {
            Some(Whose::Account(account)) if database.use_invite(&digest).await? => {
                Ok(Some(account))
            }
            _ => Ok::<_, store::StoreError>(None),
        }
    };
    match used.await {
        Ok(Some(account)) => enter(&pages, &headers, account, "invited").await,
        Ok(None) => gone(&headers, stranger()),
        Err(error) => unread(&headers, &error),
    }
}

#[derive(Deserialize)]
pub(super) struct Shown {
    key: String,
}

/// The key is shown once, in the body of a form, and exchanged for a sign-in.
pub(super) async fn exchange<O: Caseroom>(
    State(pages): State<Pages<O>>,
    extensions: Extensions,
    headers: HeaderMap,
    axum::Form(given): axum::Form<Shown>,
) -> Response {
    let from = pages.door.from(&extensions, &headers);
    // A key is its id and its secret: tries are counted as the one of this id.
    let id = given.key.trim().rsplit_once('_').map_or("", |(id, _)| id);
    if !pages.door.may_try_as(&from, id) {
        return too_often(&headers, stranger());
    }
    if let Some(account) = pages.office.whose(given.key.trim()) {
        return enter(&pages, &headers, account, "key").await;
    }
    let why = "this is no live key of an account here";
    wrong(&headers, stranger(), StatusCode::FORBIDDEN, why)
}

pub(super) async fn out<O: Caseroom>(
    State(pages): State<Pages<O>>,
    headers: HeaderMap,
    Posted(customer, Nothing {}): Posted<Customer, Nothing>,
) -> Response {
    let response = on("/fairhold/portal/sign-in");
    let out = pages
        .door
        .sign_out(Side::Customer, &customer.digest, response);
    match out.await {
        Ok(response) => response,
        Err(error) => unread(&headers, &error),
    }
}

#[derive(Template, Serialize)]
#[template(path = "portal.html")]
struct HomePage {
    #[serde(skip)]
    frame: Frame,
    account: OverviewView,
    terms: TermsView,
    #[serde(skip)]
    limits: Vec<Used>,
    #[serde(skip)]
    days: String,
    #[serde(skip)]
    chart: String,
    #[serde(skip)]
    authorisations: Vec<String>,
    cases: Vec<CaseView>,
}

/// The licences that were agreed, each in a line.
fn authorisations(terms: &TermsView) -> Vec<String> {
    let all = terms
        .agreement
        .get("authorisation")
        .and_then(|v| v.as_array());
    let said = |value: &serde_json::Value| {
        let of = |name: &str| value.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let models = value.get("models").and_then(|v| v.as_array());
        let models: Vec<&str> = models
            .into_iter()
            .flatten()
            .filter_map(|m| m.as_str())
            .collect();
        format!(
            "{} under {} with {}, from {} until {}",
            of("purpose"),
            of("clause"),
            if models.is_empty() {
                "every model".to_owned()
            } else {
                models.join(", ")
            },
            of("from"),
            of("until")
        )
    };
    all.into_iter().flatten().map(said).collect()
}

pub(super) async fn home<O: Caseroom>(
    State(pages): State<Pages<O>>,
    customer: Customer,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::portal(&customer, "Your account");
    frame.told = words::told(told.told.as_deref());
    let read = async {
        let account = pages.office.overview(&customer.account).await?;
        let terms = pages.office.terms(&customer.account).await?;
        let cases = pages.office.cases_of(&customer.account).await?;
        Ok::<_, OfficeError>((account, terms, cases))
    };
    match read.await {
        Ok((mut account, terms, cases)) => {
            // Who works on a case is nothing to the accused.
            account.cases.clear();
            let page = HomePage {
                frame,
                limits: Used::all(&account.limits),
                days: picture::days(&account.days),
                chart: chart(&account),
                authorisations: authorisations(&terms),
                account,
                terms,
                cases,
            };
            shown(&headers, &page)
        }
        Err(why) => refused(&headers, frame, &why),
    }
}

#[derive(Template, Serialize)]
#[template(path = "portal_case.html")]
struct CasePage {
    #[serde(skip)]
    frame: Frame,
    case: CaseView,
    #[serde(skip)]
    meaning: &'static str,
    #[serde(skip)]
    statement: String,
    #[serde(skip)]
    answers: bool,
    #[serde(skip)]
    contests: &'static str,
}

fn said<'a>(texts: &'a [TextView], language: &str) -> Option<&'a str> {
    let own = texts.iter().find(|text| text.language == language);
    own.or(texts.first()).map(|text| text.text.as_str())
}

/// The case, if it concerns this customer; another's looks like none.
async fn own<O: Caseroom>(
    pages: &Pages<O>,
    customer: &Customer,
    id: &str,
) -> Result<CaseView, OfficeError> {
    match pages.office.case(id).await {
        Ok(case) if case.concerns(&customer.account) => Ok(case),
        Ok(_) | Err(OfficeError::NotFound(_)) => Err(OfficeError::NotFound(
            "your account has no such case".to_owned(),
        )),
        Err(why) => Err(why),
    }
}

fn case_page(frame: Frame, case: CaseView, headers: &HeaderMap) -> CasePage {
    let language = language(headers);
    let last = case.statements.last().map(|s| &s.text);
    let texts = last.or(case.notice.as_ref().map(|n| &n.text));
    let statement = texts.and_then(|texts| said(texts, &language));
    let statement = statement.unwrap_or(&case.statement).to_owned();
    let closed = matches!(
        case.state.as_str(),
        "dismissed" | "overturned" | "reinstated"
    );
    let told = case.notice.is_some() || !case.statements.is_empty();
    let contests = match (case.state.as_str(), &case.appeal_until) {
        ("appealed", _) => "evidence",
        (_, Some(_)) => "appeal",
        (_, None) => "",
    };
    CasePage {
        frame,
        meaning: super::case::meaning(&case.state),
        statement,
        answers: told && !closed,
        contests,
        case,
    }
}

pub(super) async fn case<O: Caseroom>(
    State(pages): State<Pages<O>>,
    customer: Customer,
    Path(id): Path<String>,
    Query(told): Query<Told>,
    headers: HeaderMap,
) -> Response {
    let mut frame = Frame::portal(&customer, format!("Case {id}"));
    frame.told = words::told(told.told.as_deref());
    match own(&pages, &customer, &id).await {
        Ok(case) => shown(&headers, &case_page(frame, case, &headers)),
        Err(why) => refused(&headers, frame, &why),
    }
}

/// What a form of the accused holds.
#[derive(Default)]
struct Answer {
    csrf: String,
    act: String,
    text: String,
    promise: String,
    check: String,
    days: String,
    files: Vec<NewAttachment>,
}

/// The kind of a file by its name: what a browser says of it is not believed.
fn kind(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    match end.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        _ => "text/plain",
    }
}

async fn answer(mut form: Multipart) -> Result<Answer, String> {
    let mut read = Answer::default();
    let broken =
        |e: axum::extract::multipart::MultipartError| format!("the form cannot be read: {e}");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "files" {
            let called = field.file_name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(broken)?;
            if !called.is_empty() {
                read.files.push(NewAttachment {
                    kind: kind(&called).to_owned(),
                    name: called,
                    data: STANDARD.encode(bytes),
                });
            }
            continue;
        }
        let text = field.text().await.map_err(broken)?;
        match name.as_str() {
            "csrf" => read.csrf = text,
            "act" => read.act = text,
            "text" => read.text = text,
            "promise" => read.promise = text,
            "check" => read.check = text,
            "days" => read.days = text,
            _ => {}
        }
    }
    Ok(read)
}

impl Answer {
    fn step(&self) -> Result<CaseStep, OfficeError> {
        Ok(match self.act.as_str() {
            "declare" => CaseStep::Declare,
            "appeal" => CaseStep::Appeal,
            "evidence" => CaseStep::Evidence,
            "undertake" => CaseStep::Undertake(vec![NewCondition {
                promise: self.promise.clone(),
                check: self.check.clone(),
                days: self.days.trim().parse().map_err(|_| {
                    OfficeError::Invalid(format!("`{}` is no number of days", self.days))
                })?,
            }]),
            other => return Err(OfficeError::Invalid(format!("`{other}` is no answer"))),
        })
    }
}

/// A step of the accused.
pub(super) async fn step<O: Caseroom>(
    State(pages): State<Pages<O>>,
    customer: Customer,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let frame = Frame::portal(&customer, format!("Case {id}"));
    let answer = match answer(form).await {
        Ok(answer) => answer,
        Err(why) => return wrong(&headers, frame, StatusCode::BAD_REQUEST, &why),
    };
    if !same(&answer.csrf, &customer.csrf) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let case = match own(&pages, &customer, &id).await {
        Ok(case) => case,
        Err(why) => return refused(&headers, frame, &why),
    };
    let taken = async {
        let step = Step {
            step: answer.step()?,
            by: customer.account.clone(),
            comment: answer.text,
            attachments: answer.files,
        };
        pages.office.step(&id, step).await
    };
    match taken.await {
        Ok(_) => on(&format!(
            "/fairhold/portal/cases/{}?told=sent",
            words::id(&id)
        )),
        Err(why) => {
            let mut page = case_page(frame, case, &headers);
            page.frame.wrong = format!("Nothing was changed: {why}.");
            let mut response = shown(&headers, &page);
            if let Ok(status) = StatusCode::from_u16(why.status()) {
                *response.status_mut() = status;
            }
            response
        }
    }
}

/// The evidence of a case, to be verified by anybody.
pub(super) async fn bundle<O: Caseroom>(
    State(pages): State<Pages<O>>,
    customer: Customer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let exported = async {
        own(&pages, &customer, &id).await?;
        pages.office.export(&id).await
    };
    match exported.await {
        Ok(bytes) => download(bytes, "application/zip", &format!("{id}.evidence.zip")),
        Err(why) => refused(&headers, Frame::portal(&customer, "Evidence"), &why),
    }
}

/// A file that was attached.
pub(super) async fn attached<O: Caseroom>(
    State(pages): State<Pages<O>>,
    customer: Customer,
    Path((id, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let read = async {
        own(&pages, &customer, &id).await?;
        pages.office.attachment(&id, &sha256).await
    };
    match read.await {
        Ok(file) => download(file.bytes, &file.view.kind, &file.view.name),
        Err(why) => refused(&headers, Frame::portal(&customer, "File"), &why),
    }
}
