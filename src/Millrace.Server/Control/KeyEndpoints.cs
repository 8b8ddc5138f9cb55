using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Server.Gateway;
using Millrace.Server.ModelApi;

namespace Millrace.Server.Control;

/// <summary>The keys of the model API, for the data folder's owner.</summary>
sealed class KeyEndpoints(ApiKeys keys, ApiBudgets budgets)
{
    public void Map(WebApplication application)
    {
        application.MapGet("/keys", context => ControlEndpoints.WriteAsync(context, keys.All.Select(key =>
            new ApiKeySummary(key.Name, key.Scopes, key.TokensPerDay, budgets.Used(key.Name), key.Created))));
        application.MapPost("/keys", AddAsync);
        application.MapDelete("/keys/{id}", async context =>
        {
            var name = (string)context.GetRouteValue("id")!;
            await ControlEndpoints.WriteAsync(context, keys.Revoke(name) ? true : throw new ProblemException(
                404, "not-found", "Not found", $"There is no key '{name}'; 'millrace keys list' shows them."));
        });
    }

    async Task AddAsync(HttpContext context)
    {
        var wanted = await ControlEndpoints.ReadAsync<NewApiKey>(context);
        try
        {
            await ControlEndpoints.WriteAsync(context, keys.Add(wanted.Name, wanted.Scopes, wanted.TokensPerDay));
        }
        catch (ServerException e)
        {
            throw new ProblemException(400, "invalid", "Not a key", e.Message);
        }
    }
}
