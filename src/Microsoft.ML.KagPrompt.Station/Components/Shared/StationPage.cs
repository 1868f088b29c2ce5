using Microsoft.ML.KagPrompt.Station.Web;
using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace Microsoft.ML.KagPrompt.Station.Components.Shared;

/// <summary>A page: says faults of its actions in words, and knows who is there.</summary>
public abstract class StationPage : ComponentBase
{
    [CascadingParameter]
    private Task<AuthenticationState>? Login { get; set; }

    private CultureInfo culture = CultureInfo.CurrentCulture;
    private CultureInfo language = CultureInfo.CurrentUICulture;

    /// <summary>What went wrong last; null: nothing.</summary>
    protected string? Fault { get; private set; }

    /// <summary>What was done last; null: nothing.</summary>
    protected string? Done { get; set; }

    /// <summary>An action is under way: its buttons wait.</summary>
    protected bool IsBusy { get; private set; }

    /// <summary>The user's name.</summary>
    protected string UserName { get; private set; } = "";

    /// <summary>The user.</summary>
    protected ClaimsPrincipal User { get; private set; } = new();

    protected sealed override async Task OnInitializedAsync()
    {
        (culture, language) = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        User = Login is null ? new() : (await Login).User;
        UserName = User.Identity?.Name ?? "";
        await Try(LoadAsync);
    }

    /// <summary>Reads what the page shows.</summary>
    protected virtual Task LoadAsync() => Task.CompletedTask;

    /// <summary>
    /// Shows the page anew after something that happened elsewhere, in the language of the page's reader and not of that thread.
    /// </summary>
    protected void ShowAgain(Action? before = null) => _ = InvokeAsync(() =>
    {
        (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, language);
        before?.Invoke();
        StateHasChanged();
    });

    /// <summary>Does something, and keeps what went wrong as words.</summary>
    protected async Task Try(Func<Task> action)
    {
        (Fault, Done, IsBusy) = (null, null, true);
        try
        {
            await action();
        }
        catch (OperationCanceledException)
        {
            // Its asker went away, or asked for it.
        }
        catch (Exception fault) when (Faults.IsExpected(fault))
        {
            Fault = Faults.Say(fault);
        }
        finally
        {
            IsBusy = false;
        }
    }
}
