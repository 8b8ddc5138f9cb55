namespace Millrace.Server;
