//! Routes that know what they are: one table makes the router and the `OpenAPI`
//! document, so that neither can say what the other does not.

mod data_plane;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::access::{Colleague, Open};
use crate::admin::error;
use crate::office::Office;

/// Who was let in at the admin API; whoever handles a request finds it among its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Whoever holds the running server's token.
    Operator,
    /// Somebody who works here.
    Colleague(Colleague),
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What is sent back.
enum Gives {
    /// JSON.
    Json(SchemaOf),
    /// Bytes of this media type.
    Bytes(&'static str),
}

/// What an operation is, in the document's terms.
pub struct Told {
    summary: &'static str,
    open: Option<Open>,
    takes: Option<SchemaOf>,
    gives: Gives,
    status: u16,
    query: Vec<(&'static str, &'static str)>,
    public: bool,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told")
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

/// An operation that answers with JSON.
pub fn told<T: JsonSchema>(summary: &'static str) -> Told {
    Told {
        summary,
        open: None,
        takes: None,
        gives: Gives::Json(SchemaGenerator::subschema_for::<T>),
        status: 200,
        query: Vec::new(),
        public: false,
    }
}

impl Told {
    /// Its body is JSON of this form.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// It answers 201: something new is there.
    #[must_use]
    pub fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    /// It answers with bytes instead.
    #[must_use]
    pub fn bytes(mut self, media: &'static str) -> Self {
        self.gives = Gives::Bytes(media);
        self
    }

    /// It reads this parameter of its query.
    #[must_use]
    pub fn asks(mut self, name: &'static str, what: &'static str) -> Self {
        self.query.push((name, what));
        self
    }

    /// At the admin API: these may call it beside the operator.
    #[must_use]
    pub fn open_to(mut self, open: Open) -> Self {
        self.open = Some(open);
        self
    }

    /// It needs no key.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }
}

/// Routes with what they are.
pub struct Api<O> {
    /// None: the routes are only described.
    router: Option<Router<Arc<O>>>,
    paths: BTreeMap<String, Map<String, Value>>,
    schemas: SchemaGenerator,
}

impl<O> std::fmt::Debug for Api<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl<O: Office> Api<O> {
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        Self {
            router: Some(Router::new()),
            paths: BTreeMap::new(),
            schemas: settings.into_generator(),
        }
    }

    /// Adds an operation: `method` is a word of HTTP in small letters and `handler` its
    /// `axum::routing` twin.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn on(
        mut self,
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<Arc<O>>,
        told: Told,
    ) -> Self {
        let open = told.open;
        let handler = match open {
            Some(open) => handler.route_layer(middleware::from_fn_with_state(open, for_these)),
            None => handler,
        };
        self.router = self.router.map(|router| router.route(path, handler));
        self.describe(method, path, &told);
        self
    }

    /// Adds routes that are pages, and so no part of the document.
    #[must_use]
    pub fn pages(mut self, router: Router<Arc<O>>) -> Self {
        self.router = self.router.map(|own| own.merge(router));
        self
    }

    pub(crate) fn describe(&mut self, method: &str, path: &str, told: &Told) {
        let path = path.replace("{*", "{");
        let named = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next());
        let mut parameters: Vec<Value> = named
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        parameters.extend(told.query.iter().map(|(name, what)| {
            json!({"name": name, "in": "query", "required": false, "description": what, "schema": {"type": "string"}})
        }));
        let content = match &told.gives {
            Gives::Json(of) => json!({"application/json": {"schema": of(&mut self.schemas)}}),
            Gives::Bytes(media) => json!({*media: {"schema": {"type": "string"}}}),
        };
        let security = match (told.public, told.open) {
            (true, _) => json!([]),
            (false, Some(_)) => json!([{"operator": []}, {"colleague": []}]),
            (false, None) => json!([{"key": []}]),
        };
        let fault = json!({"description": "refused, and why", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}});
        let mut operation = json!({
            "operationId": operation_id(method, &path),
            "summary": told.summary,
            "security": security,
            "parameters": parameters,
            "responses": {
                told.status.to_string(): {"description": told.summary, "content": content},
                "default": fault,
            },
        });
        if let (Some(takes), Some(operation)) = (told.takes, operation.as_object_mut()) {
            let schema = takes(&mut self.schemas);
            let body =
                json!({"required": true, "content": {"application/json": {"schema": schema}}});
            operation.insert("requestBody".to_owned(), body);
        }
        if let (Some(open), Some(operation)) = (told.open, operation.as_object_mut()) {
            operation.insert("x-open-to".to_owned(), json!(open.words()));
        }
        let at = self.paths.entry(path).or_default();
        // What both listeners serve is one operation that either key opens.
        if let Some(before) = at.get_mut(method).and_then(|o| o.get_mut("security"))
            && let (Some(all), Some(more)) = (before.as_array_mut(), security.as_array())
        {
            all.extend(more.iter().cloned());
            return;
        }
        at.insert(method.to_owned(), operation);
    }

    pub(crate) fn into_router(self) -> Router<Arc<O>> {
        self.router.unwrap_or_default()
    }

    /// The document of these routes.
    fn document(mut self) -> Value {
        let mut schemas = self.schemas.take_definitions(true);
        schemas.insert("Fault".to_owned(), fault());
        let schemas: BTreeMap<String, Value> = schemas.into_iter().collect();
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Fairhold",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "The admin API under `/admin` listens on loopback (`run.json` says where) and is opened by the operator's token or a colleague's own; everything else is served by the gateway and opened by an account's API key. A key sees what concerns its own account only: what is another's looks like what is not there.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "operator": {"type": "http", "scheme": "bearer", "description": "the token of `run.json`: all roles at once"},
                    "colleague": {"type": "http", "scheme": "bearer", "description": "the personal token of somebody in `people.toml`: what their role allows, in their own name"},
                    "key": {"type": "http", "scheme": "bearer", "description": "an account's API key; `x-api-key` does too at the model's routes"},
                },
            },
        })
    }
}

/// `get /admin/cases/{id}` is `get_admin_cases_id`.
fn operation_id(method: &str, path: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let words: String = path
        .chars()
        .filter(|c| !"{}".contains(*c))
        .map(plain)
        .collect();
    format!("{method}{words}")
}

fn fault() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["message", "type", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }},
    })
}

async fn for_these(State(open): State<Open>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>() {
        Some(Caller::Operator) => next.run(request).await,
        Some(Caller::Colleague(colleague)) if open.to(colleague.role) => next.run(request).await,
        _ => {
            let words = format!("this is for {}", open.words());
            error(http::StatusCode::FORBIDDEN, "role_not_allowed", &words)
        }
    }
}

/// The `OpenAPI` 3.1 document of everything that is served.
pub fn openapi<O: Office>() -> Value {
    let mut api = Api::<O> {
        router: None,
        ..Api::new()
    };
    data_plane::describe(&mut api);
    crate::admin::routes(crate::pages::routes(api)).document()
}
