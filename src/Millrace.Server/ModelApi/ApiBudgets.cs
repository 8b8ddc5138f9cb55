using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Millrace.Server.ModelApi;

/// <summary>
/// Tokens that keys used today (UTC). What an answer may take is reserved before it begins, and settled by what it took.
/// Kept over restarts; a crash forgets the last seconds. Thread-safe.
/// </summary>
sealed class ApiBudgets : IDisposable
{
    static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);

    readonly string _path;
    readonly TimeProvider _time;
    readonly ILogger _log;
    readonly Lock _lock = new();
    readonly ConcurrentDictionary<string, long> _reserved = new();
    Day _day;
    long _saved;
    bool _isChanged;

    sealed record Day(string Date, Dictionary<string, long> Tokens);

    public ApiBudgets(string folder, TimeProvider time, ILogger log)
    {
        (_path, _time, _log) = (Path.Combine(folder, "api-usage.json"), time, log);
        _day = Read() ?? new(Today, []);
        _saved = time.GetTimestamp();
    }

    string Today => _time.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    Day? Read()
    {
        try
        {
            return JsonSerializer.Deserialize<Day>(File.ReadAllBytes(_path), OwnerFile.Json);
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            // A count that is lost begins again; keys stay limited from here on.
            return null;
        }
    }

    public long Used(string key)
    {
        lock (_lock)
        {
            Turn();
            return _day.Tokens.GetValueOrDefault(key);
        }
    }

    /// <summary>Sets tokens aside for the answers of one request; at most what is left of the day.</summary>
    /// <param name="key">Who asks; null, and one without a limit: nothing is set aside.</param>
    /// <param name="least">Tokens that it takes in any case: those of the prompt, and one of each answer.</param>
    /// <param name="wanted">Tokens that it may take.</param>
    /// <exception cref="ApiException">Not even the least is left.</exception>
    public Reservation Reserve(ApiKey? key, long least, long wanted)
    {
        if (key?.TokensPerDay is not { } limit) return new(this, key, 0);
        lock (_lock)
        {
            Turn();
            var unused = limit - _day.Tokens.GetValueOrDefault(key.Name);
            if (unused < least) throw UsedUp(key.Name, limit, Math.Max(0, unused), least);
            var left = unused - _reserved.GetValueOrDefault(key.Name);
            if (left < least)
            {
                throw new ApiException(429, "rate_limit_exceeded", "rate_limit_exceeded",
                    $"What is left of the {limit} tokens of the key '{key.Name}' is set aside for its answers under way.")
                {
                    RetryAfter = 1,
                };
            }

            var tokens = Math.Min(wanted, left);
            _reserved.AddOrUpdate(key.Name, tokens, (_, reserved) => reserved + tokens);
            return new(this, key, tokens);
        }
    }

    ApiException UsedUp(string key, long limit, long left, long least)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        var why = left == 0 ? $"has used its {limit} tokens of today"
            : $"has {left} tokens of its {limit} left today, and this takes {least}";
        return new(429, "insufficient_quota", "insufficient_quota", $"The key '{key}' {why}; there are new ones at midnight UTC.")
        {
            RetryAfter = (int)Math.Ceiling((now.Date.AddDays(1) - now).TotalSeconds),
        };
    }

    void Settle(ApiKey? key, long reserved, long used)
    {
        if (key is null) return;
        lock (_lock)
        {
            Turn();
            _reserved.AddOrUpdate(key.Name, 0, (_, all) => all - reserved);
            _day.Tokens[key.Name] = _day.Tokens.GetValueOrDefault(key.Name) + used;
            _isChanged = true;
            if (_time.GetElapsedTime(_saved) < SaveEvery) return;
            Save();
        }
    }

    void Turn()
    {
        if (_day.Date != Today) _day = new(Today, []);
    }

    void Save()
    {
        _saved = _time.GetTimestamp();
        if (!_isChanged) return;
        try
        {
            OwnerFile.Write(_path, _day);
            _isChanged = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is tried again with the next answer; a full disk is no reason to break off this one.
            ServerLog.Unsaved(_log, _path, e.Message);
        }
    }

    public void Dispose()
    {
        lock (_lock) Save();
    }

    /// <summary>Tokens set aside; giving it back settles them.</summary>
    public sealed class Reservation(ApiBudgets budgets, ApiKey? key, long tokens) : IDisposable
    {
        /// <summary>How many are set aside.</summary>
        public long Tokens { get; } = tokens;

        /// <summary>What was read and written in the end.</summary>
        public long Used { get; set; }

        public void Dispose() => budgets.Settle(key, Tokens, Used);
    }
}
