using System.Buffers;
using System.Collections.Immutable;
using Millrace.Wasm.Text;

namespace Millrace.Wasm.Scripts;

/// <summary>Reads the commands of a script, one after another.</summary>
sealed class ScriptReader(TextSource source)
{
    static readonly (string Word, AssertionKind Kind)[] ActionAssertions =
    [
        ("assert_return", AssertionKind.Return),
        ("assert_trap", AssertionKind.Trap),
        ("assert_exhaustion", AssertionKind.Exhaustion),
        ("assert_exception", AssertionKind.Exception),
    ];

    static readonly (string Word, AssertionKind Kind)[] ModuleAssertions =
    [
        ("assert_malformed", AssertionKind.Malformed),
        ("assert_invalid", AssertionKind.Invalid),
        ("assert_unlinkable", AssertionKind.Unlinkable),
        ("assert_malformed_custom", AssertionKind.MalformedCustom),
        ("assert_invalid_custom", AssertionKind.InvalidCustom),
    ];

    readonly Cursor _cursor = new(Lexer.Read(source));
    readonly ValuePatternReader _values = new();

    /// <summary>The next command; null at the end.</summary>
    /// <exception cref="MalformedException">It is none; reading goes on behind it.</exception>
    public Command? Next()
    {
        if (_cursor.Kind == TokenKind.End) return null;
        if (_cursor.Kind != TokenKind.Open)
        {
            var fault = _cursor.Unexpected();
            _cursor.Position = _cursor.List.Tokens.Length - 1;
            throw fault;
        }

        var start = _cursor.Position;
        try
        {
            return ReadCommand();
        }
        catch (MalformedException)
        {
            _cursor.Position = start;
            _cursor.Position = _cursor.Token.Match < 0 ? _cursor.List.Tokens.Length - 1 : _cursor.Token.Match + 1;
            throw;
        }
    }

    Command ReadCommand()
    {
        var offset = _cursor.Token.Start;
        if (_cursor.IsForm("module")) return ReadModuleCommand(offset);
        if (_cursor.TryOpen("register")) return ReadRegister(offset);
        if (_cursor.IsForm("invoke") || _cursor.IsForm("get")) return new ActionCommand(offset, ReadAction());
        foreach (var (word, kind) in ActionAssertions)
        {
            if (_cursor.TryOpen(word)) return ReadAssertion(offset, kind);
        }

        foreach (var (word, kind) in ModuleAssertions)
        {
            if (_cursor.TryOpen(word)) return ReadModuleAssertion(offset, kind);
        }

        return ReadInlineModule(offset);
    }

    /// <summary>Fields without <c>(module …)</c> around them are one module.</summary>
    ModuleCommand ReadInlineModule(int offset)
    {
        var fields = _cursor.Position;
        while (_cursor.Kind == TokenKind.Open && !IsCommand()) _cursor.Skip();
        if (_cursor.Position == fields) throw _cursor.Unexpected();
        return new(offset, null, new PlainModule(null, _cursor.List, fields), IsDefinition: false);
    }

    bool IsCommand()
    {
        if (_cursor.Next.Kind != TokenKind.Keyword) return true;
        var word = _cursor.SpanOf(_cursor.Next);
        return word is "module" or "register" or "invoke" or "get" || word.StartsWith("assert_");
    }

    Command ReadModuleCommand(int offset)
    {
        var start = _cursor.Position;
        _cursor.Open("module");
        if (_cursor.TryKeyword("instance"))
        {
            var instance = new InstanceCommand(offset, _cursor.TryId(), _cursor.TryId());
            _cursor.Close();
            return instance;
        }

        var isDefinition = _cursor.IsKeyword("definition");
        _cursor.Position = start;
        var module = ReadModule();
        return new ModuleCommand(offset, module.Id, module, isDefinition);
    }

    ModuleText ReadModule()
    {
        var start = _cursor.Position;
        _cursor.Open("module");
        _cursor.TryKeyword("definition");
        var id = _cursor.TryId();
        if (_cursor.TryKeyword("binary")) return new BinaryModule(id, ReadStrings());
        if (_cursor.TryKeyword("quote")) return new QuotedModule(id, ReadStrings());
        var fields = _cursor.Position;
        _cursor.Position = start;
        _cursor.Skip();
        return new PlainModule(id, _cursor.List, fields);
    }

    byte[] ReadStrings()
    {
        var bytes = new ArrayBufferWriter<byte>();
        for (; _cursor.Kind == TokenKind.Text; _cursor.Position++) StringText.Decode(_cursor.Span, bytes);
        _cursor.Close();
        return bytes.WrittenSpan.ToArray();
    }

    RegisterCommand ReadRegister(int offset)
    {
        var command = new RegisterCommand(offset, _cursor.Name(), _cursor.TryId());
        _cursor.Close();
        return command;
    }

    ScriptAction ReadAction()
    {
        var isCall = _cursor.TryOpen("invoke");
        if (!isCall) _cursor.Open("get");
        var instance = _cursor.TryId();
        var name = _cursor.Name();
        ImmutableArray<ScriptValue>? arguments = null;
        if (isCall)
        {
            var values = ImmutableArray.CreateBuilder<ScriptValue>();
            while (_cursor.Kind == TokenKind.Open) values.Add(_values.ReadArgument(_cursor));
            arguments = values.DrainToImmutable();
        }

        _cursor.Close();
        return new(instance, name, arguments);
    }

    Command ReadAssertion(int offset, AssertionKind kind)
    {
        if (kind == AssertionKind.Trap && _cursor.IsForm("module")) return ReadModuleAssertion(offset, kind);
        var action = ReadAction();
        var expected = ImmutableArray.CreateBuilder<ResultPattern>();
        if (kind == AssertionKind.Return)
            while (_cursor.Kind == TokenKind.Open) expected.Add(_values.ReadPattern(_cursor));
        var message = kind is AssertionKind.Trap or AssertionKind.Exhaustion ? _cursor.Name() : "";
        _cursor.Close();
        return new ActionAssertion(offset, kind, action, expected.DrainToImmutable(), message);
    }

    ModuleAssertion ReadModuleAssertion(int offset, AssertionKind kind)
    {
        var module = ReadModule();
        var message = _cursor.Name();
        _cursor.Close();
        return new(offset, kind, module, message);
    }
}
