namespace Millrace.Sandbox.Protocol;

/// <summary>The other side does not keep to the protocol. The host kills the worker; a worker ends.</summary>
sealed class ProtocolException(string message) : Exception(message);
