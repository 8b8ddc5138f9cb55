namespace Millrace.Inference;
