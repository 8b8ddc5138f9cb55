using System.Collections.Immutable;

namespace Millrace.Inference.TensorFlow;

/// <summary><c>GraphDef</c> as it was read: nothing is checked but the encoding.</summary>
/// <param name="Nodes">In the file's order, which need not be one of computation.</param>
/// <param name="Functions">The library, by name.</param>
sealed record GraphDef(ImmutableArray<NodeDef> Nodes, ImmutableDictionary<string, FunctionDef> Functions);

/// <summary><c>NodeDef</c></summary>
/// <param name="Inputs"><c>name</c>, <c>name:1</c>, in functions <c>name:output:0</c>; <c>^name</c> is a control edge.</param>
sealed record NodeDef(
    string Name, string Op, ImmutableArray<string> Inputs, ImmutableDictionary<string, AttributeDef> Attributes);

/// <summary><c>FunctionDef</c></summary>
/// <param name="Parameters">Names of the inputs.</param>
/// <param name="Results">For each output what inside the function it is.</param>
sealed record FunctionDef(
    string Name, ImmutableArray<string> Parameters, ImmutableArray<string> Results, ImmutableArray<NodeDef> Nodes);
