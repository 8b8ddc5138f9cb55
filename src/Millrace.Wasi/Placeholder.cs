namespace Millrace.Wasi;
