// What a script of .NET can say to Taskhub: each call writes one line of JSON to the control channel.
//
//   Progress(40, "Copying")    percent and message; either may stand alone
//   Result(value)              the job's result; the last call counts
//   Emit(value, ...)           adds to a list result
//   Parameters["days"]         the job's parameters; JobId, TaskName, AppName, Attempt
//
// Values become JSON: numbers, texts, dates, dictionaries, sequences, and the public properties of
// any other object. C# 7 and the core library only, so that Debian's mono compiles it.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading.Tasks;

public static class TaskhubPrelude
{
    static readonly object Turn = new object();
    static FileStream channel;

    public static readonly Dictionary<string, object> Parameters = ReadParameters();
    public static readonly string JobId = Environment.GetEnvironmentVariable("TASKHUB_JOB_ID");
    public static readonly string TaskName = Environment.GetEnvironmentVariable("TASKHUB_TASK");
    public static readonly string AppName = Environment.GetEnvironmentVariable("TASKHUB_APP");
    public static readonly string Attempt = Environment.GetEnvironmentVariable("TASKHUB_ATTEMPT");

    public static void Progress(double percent) { Say("{\"progress\": " + Percent(percent) + "}"); }

    public static void Progress(string message) { Say("{\"message\": " + Message(message) + "}"); }

    public static void Progress(double percent, string message)
    {
        Say("{\"progress\": " + Percent(percent) + ", \"message\": " + Message(message) + "}");
    }

    public static void Result(object value) { Say("{\"result\": " + Json(value) + "}"); }

    public static void Emit(object value) { Say("{\"emit\": " + Json(value) + "}"); }

    public static void Emit(object first, params object[] more)
    {
        Emit(first);
        foreach (var value in more) Emit(value);
    }

    static string Percent(double percent)
    {
        if (double.IsNaN(percent)) throw new ArgumentException("Progress: expected a number from 0 to 100");
        return Math.Min(100, Math.Max(0, percent)).ToString("R", CultureInfo.InvariantCulture);
    }

    static string Message(string message)
    {
        if (string.IsNullOrWhiteSpace(message))
            throw new ArgumentException("Progress: expected a text that is not blank");
        return Json(message);
    }

    static void Say(string line)
    {
        var bytes = new UTF8Encoding(false).GetBytes(line + "\n");
        lock (Turn)
        {
            if (channel == null)
            {
                // By its name: mono opens no bare descriptor. Unbuffered, so that each line is one write.
                var name = Environment.GetEnvironmentVariable("TASKHUB_CHANNEL");
                if (string.IsNullOrEmpty(name)) throw new InvalidOperationException("There is no running job");
                channel = new FileStream(name, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
            }
            channel.Write(bytes, 0, bytes.Length);
            channel.Flush();
        }
    }

    /// Runs the script; an uncaught error goes to the channel and to stderr, and is exit code 1.
    public static int Run(Func<Task<int>> body)
    {
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true });
        Console.SetError(new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true });
        AppDomain.CurrentDomain.UnhandledException += (sender, facts) => Tell(facts.ExceptionObject as Exception);
        try
        {
            return body().GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            Tell(error);
            Console.Error.WriteLine(error);
            return 1;
        }
    }

    static void Tell(Exception error)
    {
        if (error == null) return;
        Say("{\"error\": {\"type\": " + Json(error.GetType().Name) + ", \"message\": " + Json(error.Message)
            + ", \"traceback\": " + Json(error.ToString()) + "}}");
    }

    /// Calls the Main of a script that is a whole program.
    public static async Task<int> CallMain(Type ours, string[] arguments)
    {
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var type in ours.Assembly.GetTypes())
        {
            if (type.Name.StartsWith("Taskhub")) continue;
            var main = type.GetMethod("Main", Any);
            if (main == null) continue;
            object answer;
            try
            {
                answer = main.Invoke(null, main.GetParameters().Length == 0 ? null : new object[] { arguments });
            }
            catch (TargetInvocationException error)
            {
                ExceptionDispatchInfo.Capture(error.InnerException).Throw();
                throw;
            }
            if (answer is Task<int>) return await (Task<int>)answer;
            if (answer is Task) await (Task)answer;
            return answer is int ? (int)answer : 0;
        }
        throw new MissingMethodException("Expected a static method Main, found none");
    }

    public static string Json(object value)
    {
        var text = new StringBuilder();
        Write(text, value, 0);
        return text.ToString();
    }

    static void Write(StringBuilder text, object value, int depth)
    {
        if (depth > 64) throw new ArgumentException("Expected at most 64 levels in a result");
        if (value == null) text.Append("null");
        else if (value is bool) text.Append((bool)value ? "true" : "false");
        else if (value is string || value is char) Quote(text, value.ToString());
        else if (value is double || value is float) text.Append(Finite(Convert.ToDouble(value)));
        else if (value is DateTime) Quote(text, ((DateTime)value).ToString("o", CultureInfo.InvariantCulture));
        else if (value is DateTimeOffset)
            Quote(text, ((DateTimeOffset)value).ToString("o", CultureInfo.InvariantCulture));
        else if (value is decimal) Quote(text, ((decimal)value).ToString(CultureInfo.InvariantCulture));
        else if (value is Enum || value is Guid || value is TimeSpan || value is Uri) Quote(text, value.ToString());
        else if (value is IDictionary) WriteMap(text, (IDictionary)value, depth);
        else if (value is IEnumerable) WriteList(text, (IEnumerable)value, depth);
        else if (value.GetType().IsPrimitive) text.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
        else WriteMap(text, Properties(value), depth);
    }

    static void WriteList(StringBuilder text, IEnumerable items, int depth)
    {
        text.Append('[');
        var first = true;
        foreach (var item in items)
        {
            if (!first) text.Append(", ");
            first = false;
            Write(text, item, depth + 1);
        }
        text.Append(']');
    }

    static string Finite(double number)
    {
        if (double.IsNaN(number) || double.IsInfinity(number)) throw new ArgumentException("JSON has no " + number);
        return number.ToString("R", CultureInfo.InvariantCulture);
    }

    static void WriteMap(StringBuilder text, IDictionary map, int depth)
    {
        text.Append('{');
        var first = true;
        foreach (DictionaryEntry entry in map)
        {
            if (!first) text.Append(", ");
            first = false;
            Quote(text, Convert.ToString(entry.Key, CultureInfo.InvariantCulture));
            text.Append(": ");
            Write(text, entry.Value, depth + 1);
        }
        text.Append('}');
    }

    static IDictionary Properties(object value)
    {
        var map = new Dictionary<string, object>();
        foreach (var property in value.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public))
            if (property.GetIndexParameters().Length == 0) map[property.Name] = property.GetValue(value, null);
        return map;
    }

    static void Quote(StringBuilder text, string words)
    {
        text.Append('"');
        foreach (var letter in words)
        {
            if (letter == '"' || letter == '\\') text.Append('\\').Append(letter);
            // Surrogates as well: one that stands alone would not survive UTF-8.
            else if (letter < ' ' || char.IsSurrogate(letter)) text.Append("\\u").Append(((int)letter).ToString("x4"));
            else text.Append(letter);
        }
        text.Append('"');
    }

    static Dictionary<string, object> ReadParameters()
    {
        var file = Environment.GetEnvironmentVariable("TASKHUB_PARAMETERS_FILE");
        var text = file != null ? File.ReadAllText(file) : Environment.GetEnvironmentVariable("TASKHUB_PARAMETERS");
        var at = 0;
        return (Dictionary<string, object>)Read(text ?? "{}", ref at);
    }

    // The text is JSON of Taskhub's own making, so nothing is wrong with it.
    static object Read(string text, ref int at)
    {
        Skip(text, ref at);
        switch (text[at])
        {
            case '{':
                var map = new Dictionary<string, object>();
                for (at++; Next(text, ref at) != '}';)
                {
                    var name = ReadText(text, ref at);
                    Skip(text, ref at);
                    map[name] = Read(text, ref at);
                }
                at++;
                return map;
            case '[':
                var list = new List<object>();
                for (at++; Next(text, ref at) != ']';) list.Add(Read(text, ref at));
                at++;
                return list;
            case '"': return ReadText(text, ref at);
            case 't': at += 4; return true;
            case 'f': at += 5; return false;
            case 'n': at += 4; return null;
            default:
                var start = at;
                while (at < text.Length && "+-.eE0123456789".IndexOf(text[at]) >= 0) at++;
                var number = text.Substring(start, at - start);
                long whole;
                if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole))
                    return whole;
                return double.Parse(number, CultureInfo.InvariantCulture);
        }
    }

    static void Skip(string text, ref int at)
    {
        while (text[at] == ' ' || text[at] == ',' || text[at] == ':') at++;
    }

    static char Next(string text, ref int at)
    {
        Skip(text, ref at);
        return text[at];
    }

    static string ReadText(string text, ref int at)
    {
        var words = new StringBuilder();
        for (at++; text[at] != '"'; at++)
        {
            if (text[at] != '\\') { words.Append(text[at]); continue; }
            at++;
            switch (text[at])
            {
                case 'n': words.Append('\n'); break;
                case 't': words.Append('\t'); break;
                case 'r': words.Append('\r'); break;
                case 'b': words.Append('\b'); break;
                case 'f': words.Append('\f'); break;
                case 'u':
                    words.Append((char)int.Parse(text.Substring(at + 1, 4), NumberStyles.HexNumber));
                    at += 4;
                    break;
                default: words.Append(text[at]); break;
            }
        }
        at++;
        return words.ToString();
    }
}
