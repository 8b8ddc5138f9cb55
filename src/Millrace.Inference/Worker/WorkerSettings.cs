namespace Millrace.Inference.Worker;

/// <summary>What the host tells its worker at the start.</summary>
/// <param name="Threads">Threads that compute; 0 to measure how many are best.</param>
/// <param name="ContextTokensMax">Most tokens of a prompt and its answer.</param>
/// <param name="MemoryBytesMax">Models that are not in use are unloaded beyond this.</param>
/// <param name="KeepAliveMs">A model that was not asked for so long is unloaded; 0 for never.</param>
sealed record WorkerSettings(int Threads, int ContextTokensMax, long MemoryBytesMax, long KeepAliveMs);
