using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Millrace.Flows.Storage;

/// <summary>Deployed packages; files are blobs, so that versions share what is equal.</summary>
static class SqlitePackages
{
    const string Columns = "name, version, kind, digest, deployed_ms, files";

    public static (PackageRow, bool) Deploy(SqliteSession session, NewPackage package, long nowMs)
    {
        var hashes = package.Files.ToImmutableSortedDictionary(
            file => file.Key, file => session.PutBlob(file.Value), StringComparer.Ordinal);
        var files = JsonSerializer.Serialize(hashes);
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(files));
        var newest = session.First(
            $"SELECT {Columns} FROM packages WHERE kind=$1 AND name=$2 ORDER BY version DESC LIMIT 1",
            Map, (int)package.Kind, package.Name);
        if (newest is not null && newest.Digest.AsSpan().SequenceEqual(digest)) return (newest, false);

        var version = (newest?.Version ?? 0) + 1;
        session.Run(
            $"INSERT INTO packages({Columns}) VALUES($1, $2, $3, $4, $5, $6)",
            package.Name, version, (int)package.Kind, digest, nowMs, files);
        return (new(package.Name, version, package.Kind, digest, nowMs) { Files = hashes }, true);
    }

    public static ImmutableArray<PackageRow> Newest(SqliteSession session) =>
    [
        .. session.All(
            $"SELECT {Columns} FROM packages p WHERE version="
            + "(SELECT max(version) FROM packages WHERE kind=p.kind AND name=p.name) ORDER BY name", Map),
    ];

    public static PackageRow? Version(SqliteSession session, PackageKind kind, string name, int version) =>
        session.First(
            $"SELECT {Columns} FROM packages WHERE kind=$1 AND name=$2 AND version=$3",
            Map, (int)kind, name, version);

    static PackageRow Map(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt32(1), (PackageKind)row.GetInt32(2), row.GetFieldValue<byte[]>(3), row.GetInt64(4))
    {
        Files = JsonSerializer.Deserialize<Dictionary<string, byte[]>>(row.GetString(5))!
            .ToImmutableSortedDictionary(StringComparer.Ordinal),
    };
}
