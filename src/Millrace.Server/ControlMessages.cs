using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows;

namespace Millrace.Server;

/// <summary>What the server says of itself.</summary>
/// <param name="ProcessId">Of the server.</param>
/// <param name="Url">Address of the public listener; empty when it is not serving.</param>
/// <param name="PagesUrl">Address of the pages, with their token; empty when it is not serving.</param>
/// <param name="DataFolder">The data folder.</param>
public sealed record ServerStatus(int ProcessId, string Url, string PagesUrl, string DataFolder);

/// <summary>Asks to deploy what lies in a folder of this machine.</summary>
/// <param name="Folder">Absolute path.</param>
/// <param name="Settings">Values of settings over the manifest's defaults; null: none.</param>
public sealed record DeployRequest(string Folder, JsonObject? Settings = null);

/// <summary>What was deployed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsIntegration">An integration; else a flow.</param>
/// <param name="Version">Its version.</param>
/// <param name="IsNew">False: it is the same, byte for byte, as the newest version.</param>
/// <param name="Remarks">What is still to do before it works.</param>
/// <param name="RunUrl">Where the flow is called over HTTP; null when it is not.</param>
public sealed record DeployReply(
    string Name, bool IsIntegration, int Version, bool IsNew, ImmutableArray<string> Remarks, string? RunUrl);

/// <summary>A deployed flow, and how it is called.</summary>
/// <param name="Flow">The flow.</param>
/// <param name="RunUrl">Where it is called over HTTP; null when it is not.</param>
/// <param name="Token">What its callers send as bearer token; null when it needs none.</param>
public sealed record FlowReply(FlowSummary Flow, string? RunUrl, string? Token);

/// <summary>A person's word on a write whose fate nobody knows.</summary>
/// <param name="Sequence">The operation.</param>
/// <param name="Result">Head of its result, JSON; null: it was not applied.</param>
public sealed record ResolveRequest(long Sequence, string? Result);

/// <summary>A model's answer, or why there is none.</summary>
/// <param name="Answer">Null when it could not answer.</param>
/// <param name="ErrorType">Type of the error result.</param>
/// <param name="ErrorDetail">One sentence.</param>
public sealed record ModelReply(ChatAnswer? Answer, string? ErrorType = null, string? ErrorDetail = null);

/// <summary>Asks for a key of the model API.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Scopes">What it is for: <c>chat</c>, <c>embeddings</c>, <c>models</c>, <c>metrics</c>.</param>
/// <param name="TokensPerDay">Most tokens of one day, UTC; null: no limit.</param>
public sealed record NewApiKey(string Name, ImmutableArray<string> Scopes, long? TokensPerDay);

/// <summary>A key of the model API, without the key.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Scopes">What it is for.</param>
/// <param name="TokensPerDay">Most tokens of one day, UTC; null: no limit.</param>
/// <param name="UsedToday">Tokens of today.</param>
/// <param name="Created">When it was made.</param>
public sealed record ApiKeySummary(
    string Name, ImmutableArray<string> Scopes, long? TokensPerDay, long UsedToday, DateTimeOffset Created);
