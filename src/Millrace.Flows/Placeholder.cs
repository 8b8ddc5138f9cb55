namespace Millrace.Flows;
