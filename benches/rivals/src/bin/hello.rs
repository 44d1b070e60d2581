//! hyper's hello: what HTTP alone costs with hyper and tokio. It reads the whole request, looks at nothing of it, and answers with the content
//! type and body of the answer that `--answer FILE` has.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::fs;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;

fn main() {
    let answer = fs::read(rivals::flag("--answer").expect("--answer FILE")).expect("a file");
    let blank = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head");
    let body = Bytes::from(answer[blank + 4..].to_vec());
    rivals::run(rivals::serve(service_fn(move |request: hyper::Request<Incoming>| {
        let body = body.clone();
        async move {
            drop(request.into_body().collect().await);
            let answer = Response::builder().header(CONTENT_TYPE, "application/json").body(Full::new(body));
            Ok::<_, Infallible>(answer.expect("a content type is well-formed"))
        }
    })));
}
