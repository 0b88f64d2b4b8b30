//! Joins the console's pages to the gateway's listener.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use gateway::{Further, Peer, Reply};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// The router's pages, for paths below `/fairhold/` at the gateway.
pub(crate) fn pages(router: Router) -> Further {
    Arc::new(move |request| {
        let router = router.clone();
        Box::pin(async move {
            let mut request: Request = request.map(Body::new);
            // Under the name that routers know.
            if let Some(Peer(peer)) = request.extensions().get().copied() {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            let answered = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (head, body) = answered.into_parts();
            // The pages are small and made in memory; a body that breaks is a bug.
            match body.collect().await {
                Ok(body) => Response::from_parts(head, Reply::whole(body.to_bytes())),
                Err(error) => {
                    tracing::error!(%error, "a page broke off");
                    let mut broken = Response::new(Reply::whole("this page cannot be shown now"));
                    *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    broken
                }
            }
        })
    })
}

#[cfg(test)]
mod tests;
