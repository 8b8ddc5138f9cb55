namespace Millrace.Server;

/// <summary>The server cannot be started or reached; the message says what to do next.</summary>
public sealed class ServerException(string message, Exception? inner = null) : Exception(message, inner);
