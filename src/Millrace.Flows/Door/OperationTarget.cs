using Millrace.Flows.Execution;
using Millrace.Flows.Manifests;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>Who answers an operation.</summary>
abstract record OperationTarget;

/// <summary>The platform's store.</summary>
sealed record LocalTarget : OperationTarget;

/// <summary>The host.</summary>
sealed record BuiltInTarget(BuiltIn BuiltIn) : OperationTarget;

/// <summary>A child run.</summary>
sealed record IntegrationTarget(string Connection, string Integration, IntegrationOperation Operation)
    : OperationTarget;

/// <summary>Nobody: an error of this type.</summary>
sealed record RefusedTarget(string Type, string Detail) : OperationTarget;

/// <summary>Finds who answers, and whether the run may ask.</summary>
static class OperationTargets
{
    const int NameCharactersMax = 256;
    const int DepthMax = 4;

    public static OperationTarget Find(Node node, RunPlan plan, OperationRequest request)
    {
        var name = request.Name;
        if (name.Length > NameCharactersMax) return new RefusedTarget(ErrorResult.Invalid, "The name is too long.");
        if (LocalOperations.Names.Contains(name)) return new LocalTarget();
        if (node.BuiltIns.TryGetValue(name, out var builtIn)) return BuiltIn(plan, builtIn);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == name.Length - 1)
            return new RefusedTarget(ErrorResult.UnknownOperation, $"'{name}' is no operation: write noun.verb.");
        return Integration(node, plan, request, name[..dot], name[(dot + 1)..]);
    }

    static OperationTarget BuiltIn(RunPlan plan, BuiltIn builtIn)
    {
        var isGranted = builtIn.Name switch
        {
            "http.fetch" => plan.Integration is not null || plan.Grants.Http is not null,
            "llm.chat" or "llm.models" => plan.Grants.Models.Length > 0,
            "nn.load" or "nn.compute" => plan.Grants.Nn is not null,
            _ => true,
        };
        return isGranted ? new BuiltInTarget(builtIn) : NotGranted(builtIn.Name);
    }

    static OperationTarget Integration(Node node, RunPlan plan, OperationRequest request, string noun, string verb)
    {
        if (!plan.Grants.Integrations.TryGetValue(noun, out var grant))
        {
            return noun is "kv" or "log" or "run" or "door" or "http" or "llm" or "nn"
                ? new RefusedTarget(ErrorResult.UnknownOperation, $"There is no operation '{noun}.{verb}'.")
                : NotGranted($"{noun}.{verb}");
        }
        if (!grant.Operations.Contains(verb)) return NotGranted($"{noun}.{verb}");
        if (plan.Depth >= DepthMax)
            return new RefusedTarget(ErrorResult.Denied, $"Child runs go at most {DepthMax} deep.");
        return ByConnection(node, grant.Connection, request);
    }

    /// <summary>An integration's operation over a connection; grants are checked by the caller.</summary>
    public static OperationTarget ByConnection(Node node, string connection, OperationRequest request)
    {
        var name = request.Name;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var (noun, verb) = (name[..dot], name[(dot + 1)..]);
        if (node.Catalog.Newest(PackageKind.Integration, noun)?.Package.Integration is not { } integration)
            return new RefusedTarget(ErrorResult.Unavailable, $"The integration '{noun}' is not deployed.");
        if (!integration.Operations.TryGetValue(verb, out var operation))
            return new RefusedTarget(ErrorResult.UnknownOperation, $"'{noun}' has no operation '{verb}'.");
        if (node.Connections(connection) is not { } account)
            return new RefusedTarget(ErrorResult.Unavailable, $"The connection '{connection}' does not exist.");
        if (account.Integration != noun)
            return new RefusedTarget(ErrorResult.Denied, $"The connection '{connection}' is not one of '{noun}'.");
        if (JsonText.Object(request.Head) is null)
            return new RefusedTarget(ErrorResult.Invalid, "The head is no JSON object.");
        if (operation.CheckRequest(request.Head) is { } fault) return new RefusedTarget(ErrorResult.Invalid, fault);
        return new IntegrationTarget(connection, noun, operation);
    }

    static RefusedTarget NotGranted(string name) => new(ErrorResult.Denied, $"'{name}' is not granted.");
}
