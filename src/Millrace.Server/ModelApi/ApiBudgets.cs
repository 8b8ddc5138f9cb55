using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

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
    readonly Lock _lock = new();
    readonly ConcurrentDictionary<string, long> _reserved = new();
    Day _day;
    long _saved;
    bool _isChanged;

    sealed record Day(string Date, Dictionary<string, long> Tokens);

    public ApiBudgets(string folder, TimeProvider time)
    {
        (_path, _time) = (Path.Combine(folder, "api-usage.json"), time);
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

    /// <summary>Sets tokens aside for one answer; at most what is left of the day.</summary>
    /// <param name="key">Who asks; null, and one without a limit: as many as are wanted.</param>
    /// <param name="wanted">Tokens of the answer; -1 for as many as there is room for.</param>
    /// <exception cref="ApiException">Nothing is left.</exception>
    public Reservation Reserve(ApiKey? key, int wanted)
    {
        if (key?.TokensPerDay is not { } limit) return new(this, key, wanted, 0);
        lock (_lock)
        {
            Turn();
            var left = limit - _day.Tokens.GetValueOrDefault(key.Name) - _reserved.GetValueOrDefault(key.Name);
            if (left <= 0)
            {
                var now = _time.GetUtcNow().UtcDateTime;
                throw new ApiException(429, "insufficient_quota", "insufficient_quota",
                    $"The key '{key.Name}' has used its {limit} tokens of today; there are new ones at midnight UTC.")
                {
                    RetryAfter = (int)Math.Ceiling((now.Date.AddDays(1) - now).TotalSeconds),
                };
            }

            var tokens = (int)Math.Min(wanted < 0 ? int.MaxValue : wanted, left);
            _reserved.AddOrUpdate(key.Name, tokens, (_, reserved) => reserved + tokens);
            return new(this, key, tokens, tokens);
        }
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
        OwnerFile.Write(_path, _day);
        _isChanged = false;
    }

    public void Dispose()
    {
        lock (_lock) Save();
    }

    /// <summary>Tokens set aside; giving it back settles them.</summary>
    public sealed class Reservation(ApiBudgets budgets, ApiKey? key, int tokens, long reserved) : IDisposable
    {
        /// <summary>Most tokens of the answer; -1: as many as there is room for.</summary>
        public int Tokens { get; } = tokens;

        /// <summary>What was read and written in the end.</summary>
        public long Used { get; set; }

        public void Dispose() => budgets.Settle(key, reserved, Used);
    }
}
