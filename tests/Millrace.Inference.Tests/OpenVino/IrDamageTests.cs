using System.Text;
using System.Text.RegularExpressions;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>Models whose numbers lie: sizes, attributes, places in the weights.</summary>
public sealed partial class IrDamageTests
{
    static readonly string[] Odd = ["0", "-1", "1", "2", "-2", "3", "7", "64", "2147483647", "-2147483648", "9223372036854775807", "1e9", "", "x"];

    [SkippableFact]
    public void Converts_or_refuses_whatever_numbers_a_model_has()
    {
        Skip.If(NativeLibraries.OnnxRuntime() is null, NativeLibraries.WhyOnnxRuntimeIsAbsent);
        var times = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1" ? 200 : 4;
        var random = new Random(5);
        foreach (var test in ConformanceCase.All("openvino"))
        {
            var text = Encoding.UTF8.GetString(test.Model.Builders[0].Span);
            var numbers = Number().Matches(text);
            for (var time = 0; time < times; time++)
            {
                var damaged = text;
                for (var change = random.Next(2); change >= 0; change--)
                {
                    var number = numbers[random.Next(numbers.Count)];
                    damaged = damaged[..number.Index] + Odd[random.Next(Odd.Length)] + damaged[Math.Min(damaged.Length, number.Index + number.Length)..];
                }

                Convert(damaged, test);
            }
        }
    }

    static void Convert(string damaged, ConformanceCase test)
    {
        try
        {
            IrConverter.Convert(IrReader.Read(Encoding.UTF8.GetBytes(damaged)), test.Model.Builders[1]);
        }
        catch (NnException e)
        {
            Assert.NotEmpty(e.Message);
        }
        catch (Exception e)
        {
            Assert.Fail($"{test.Name}: {e}\n{damaged}");
        }
    }

    [GeneratedRegex(@"(?<=[>""\s])-?[0-9]+(?=[<"",])")]
    private static partial Regex Number();
}
