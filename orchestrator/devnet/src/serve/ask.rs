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
use super::watch::Watch;
use super::wish::Wish;
use crate::exit::{Exit, Failure};
use crate::faults;

/// Does what the page wants.
pub async fn act(State(shop): State<Arc<Shop>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Wish>(&body) {
        Ok(wish) => match wish.refused(&shop.watch.refused) {
            Some(why) => refuse(&Failure::bad_input(why)),
            None => answer(shop.wishes.act(wish).await),
        },
        Err(error) => refuse(&Failure::bad_input(format!("cannot be read: {error}"))),
    }
}

/// Answers with what is in force, read back from the nodes, as `devnet faults`
/// tells it.
pub async fn faults(State(shop): State<Arc<Shop>>) -> Response {
    let _turn = shop.questions.acquire().await;
    let Watch { world, live, .. } = &*shop.watch;
    answer(faults::in_force(world, live).await)
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
