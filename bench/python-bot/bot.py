"""A code-review bot as one would write it by hand: standard library only, one process per event.

The webhook's body comes on standard input, its signature as the first argument; addresses and secrets come from
the environment. It reads the pull request and its patch, asks the model once and posts one comment.
"""
import hashlib
import hmac
import http.client
import json
import os
import sys
from urllib.parse import urlsplit


def ask(client, method, path, headers, body=None):
    client.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    response = client.getresponse()
    content = response.read()
    if response.status >= 300:
        sys.exit(f"{method} {path}: {response.status}")
    return content


def main():
    event = sys.stdin.buffer.read()
    mac = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), event, hashlib.sha256).hexdigest()
    if not hmac.compare_digest("sha256=" + mac, sys.argv[1]):
        sys.exit("wrong signature")
    payload = json.loads(event)
    if payload["action"] not in ("opened", "reopened", "synchronize"):
        return
    repository, number = payload["repository"]["full_name"], payload["number"]

    github = http.client.HTTPConnection(urlsplit(os.environ["GITHUB_URL"]).netloc)
    headers = {
        "Authorization": "Bearer " + os.environ["GITHUB_TOKEN"],
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "User-Agent": "bot",
    }
    pull = json.loads(ask(github, "GET", f"/repos/{repository}/pulls/{number}", headers))
    diff = {**headers, "Accept": "application/vnd.github.diff"}
    patch = ask(github, "GET", f"/repos/{repository}/pulls/{number}", diff).decode("utf-8", "replace")

    address = urlsplit(os.environ["OPENAI_BASE_URL"])
    model = http.client.HTTPConnection(address.netloc)
    prompt = f"Review this change. Title: {pull['title']}\n\n{patch}"
    answer = json.loads(ask(model, "POST", address.path + "/chat/completions", {"Content-Type": "application/json"}, {
        "model": os.environ["OPENAI_MODEL"],
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": 1000,
    }))
    text = answer["choices"][0]["message"]["content"]
    ask(github, "POST", f"/repos/{repository}/issues/{number}/comments", headers, {"body": text})


main()
