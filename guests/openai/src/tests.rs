use super::*;
use millrace::json::parse;

fn value(text: &str) -> Value {
    parse(text.as_bytes()).unwrap()
}

fn refused(status: i64, body: &str) -> Problem {
    let response = Response { status, headers: object! {}, body: body.as_bytes().to_vec() };
    let message = message(&response);
    problem(&response, &message, &object! { "model": "m" })
}

#[test]
fn a_request_is_worded_anew_for_newer_models() {
    let mut body = value(r#"{"model":"m","max_tokens":9,"temperature":0.2,"seed":1}"#);
    let words =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    assert!(reword(&mut body, words));
    assert_eq!(Some(9), body["max_completion_tokens"].as_i64());
    assert!(reword(&mut body, "Unsupported value: 'temperature' does not support 0.2 with this model."));
    assert!(body["temperature"].is_null());
    assert!(!reword(&mut body, "Unsupported value: 'temperature' does not support 0.2 with this model."));
    assert!(!reword(&mut body, "Invalid 'messages'"));
}

#[test]
fn refusals_have_their_kinds() {
    for (status, body, kind) in [
        (401, r#"{"error":{"message":"Incorrect API key"}}"#, "denied"),
        (404, r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#, "model-unavailable"),
        (429, r#"{"error":{"message":"Rate limit reached"}}"#, "rate-limited"),
        (429, r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#, "denied"),
        (400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#, "context-exceeded"),
        (400, r#"{"error":{"message":"too big","code":"context_length_exceeded"}}"#, "context-exceeded"),
        (400, r#"{"error":{"message":"the request exceeds the available context size"}}"#, "context-exceeded"),
        (400, r#"{"error":{"message":"bad role"}}"#, "invalid"),
        (503, r#"{"error":{"message":"Loading model"}}"#, "unavailable"),
        (500, "<html>", "unavailable"),
        (302, "", "upstream"),
    ] {
        assert_eq!(kind, refused(status, body).kind, "{status} {body}");
    }
    assert!(refused(400, r#"{"detail":"no such field"}"#).detail.contains("no such field"));
}

#[test]
fn thoughts_are_no_answer() {
    for (message, said) in [
        (r#"{"content":"<think>hm\nhm</think>\n\nYes"}"#, "Yes"),
        (r#"{"content":"<think>cut off"}"#, ""),
        (r#"{"content":null,"reasoning_content":"hm"}"#, ""),
        (r#"{"content":"","reasoning":"hm"}"#, ""),
        (r#"{"content":null,"refusal":"I cannot"}"#, "I cannot"),
        (r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, "ab"),
        (r#"{"content":"plain <think> inside"}"#, "plain <think> inside"),
    ] {
        assert_eq!(said, content(&value(message)), "{message}");
    }
}

#[test]
fn usage_that_is_missing_is_estimated_and_said() {
    let body = value(r#"{"model":"m","messages":[{"role":"user","content":"12345678"}]}"#);
    let told =
        completion(&value(r#"{"choices":[{"message":{"content":"abcde"},"finish_reason":"length"}]}"#), &body).unwrap();
    assert_eq!(
        r#"{"model":"m","content":"abcde","finish_reason":"length","usage":{"prompt_tokens":2,"completion_tokens":2,"estimated":true}}"#,
        told.to_string()
    );
    assert!(completion(&value(r#"{"choices":[]}"#), &body).unwrap_err().is("upstream"));
    assert!(completion(&value(r#"{"object":"error"}"#), &body).unwrap_err().is("upstream"));
}
