//! Bodies at the edges of what is read of them.

use super::announcing::{announcing, answering};
use super::body::MAX_ERROR_BYTES;
use super::*;

async fn ask(endpoint: &Endpoint, request: Request<'_>) -> Result<Answer, HttpError> {
    HttpClient::new(endpoint).unwrap().send(request).await
}

#[tokio::test]
async fn an_answer_may_have_so_many_bytes_and_no_more_announced_or_not() {
    for head in ["content-length: 7\r\n", "connection: close\r\n"] {
        let server = answering(format!("HTTP/1.1 200 OK\r\n{head}\r\n1234567").into_bytes()).await;
        let read = ask(&server, Request::get("/x").max_bytes(7)).await.unwrap();
        assert_eq!(read.body, b"1234567");
        let error = ask(&server, Request::get("/x").max_bytes(6)).await.unwrap_err();
        assert_eq!(error, HttpError::TooLong { request: "GET /x".to_owned(), max: 6 });
    }
}

#[tokio::test]
async fn what_says_no_bound_has_one_all_the_same() {
    for (over, is_refused) in [(0, false), (1, true)] {
        let server = announcing(MAX_ANSWER_BYTES + over).await;
        for request in [Request::get("/x"), Request::delete("/x"), Request::post("/x", b"{}".to_vec())] {
            let error = ask(&server, request).await.unwrap_err();
            assert_eq!(matches!(error, HttpError::TooLong { .. }), is_refused, "{error}");
        }
    }
}

#[tokio::test]
async fn of_an_error_so_much_is_read_and_no_more() {
    // Its message ends right at the bound, or one byte behind it: then what is left is no JSON.
    for (over, expected) in [(0, "too much"), (1, r#"{"message":"too much""#)] {
        let message = r#"{"message":"too much"}"#;
        let spaces = " ".repeat(MAX_ERROR_BYTES - message.len() + over);
        let answer = format!("HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n{spaces}{message}");
        let error = ask(&answering(answer.into_bytes()).await, Request::get("/x")).await.unwrap_err();
        let (status, told) = error.status_and_message().unwrap();
        assert_eq!((status, told), (500, expected));
    }
}
