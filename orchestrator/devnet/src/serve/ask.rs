//! The page's wishes, and failures as it shows them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::json;

use super::Shop;
use crate::exit::{Exit, Failure};

/// Does what the page wants.
pub async fn act(State(shop): State<Arc<Shop>>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(wish) => answer(shop.wishes.act(wish).await),
        Err(error) => refuse(&Failure::bad_input(format!("cannot be read: {error}"))),
    }
}

/// Tells whether the token is right: who gets here has shown it.
pub async fn token() -> Json<serde_json::Value> {
    Json(json!({ "may_act": true }))
}

/// An answer as JSON, or why there is none.
pub fn answer<T: Serialize>(outcome: Result<T, Failure>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(failure) => refuse(&failure),
    }
}

/// Why something was not done.
pub fn refuse(failure: &Failure) -> Response {
    let status = match failure.exit() {
        Exit::BadInput => StatusCode::BAD_REQUEST,
        Exit::WorldBroke => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    };
    (status, Json(failure.to_json())).into_response()
}
