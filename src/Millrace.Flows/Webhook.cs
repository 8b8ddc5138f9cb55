namespace Millrace.Flows;

/// <summary>How an integration's webhooks are signed and labelled; from its manifest.</summary>
/// <param name="SignatureHeader">Carries the HMAC-SHA-256 of the raw body, in hex.</param>
/// <param name="Prefix">Stands before the hex digits; may be empty.</param>
/// <param name="IdHeader">Carries the delivery's id.</param>
/// <param name="TypeHeader">Carries the event's type.</param>
public sealed record Webhook(string SignatureHeader, string Prefix, string IdHeader, string TypeHeader);
